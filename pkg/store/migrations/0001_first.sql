-- The first schema. Times are UTC milliseconds since 1970; NULL means never.
-- Ids are never used twice where something kept elsewhere, such as the search
-- index, may still name a removed row: those tables say AUTOINCREMENT.
--
-- NO TRANSACTION, because the store runs all migrations in one of its own.
-- +goose NO TRANSACTION
-- +goose Up

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Counts up with every change to portals, domains, inboxes and groups, so
-- that a running server knows when to read them again.
INSERT INTO meta (key, value) VALUES ('settings_version', '1');

CREATE TABLE domain (
  id          INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL CHECK (kind IN ('system', 'connected')),
  host        TEXT    NOT NULL UNIQUE,
  language    TEXT    NOT NULL,
  token       TEXT    NOT NULL,
  verified_at INTEGER,
  checked_at  INTEGER,
  proxied     INTEGER NOT NULL DEFAULT 0, -- visitors come through a proxy, so the addresses are not ours
  lost_at     INTEGER,                    -- since when the proof is not found any more
  lost_why    TEXT    NOT NULL DEFAULT '',
  hsts        TEXT    NOT NULL DEFAULT 'auto', -- auto, on, off or a duration
  served_since INTEGER,                   -- since when TLS has served it without a fault
  headers     TEXT    NOT NULL DEFAULT '{}', -- security headers made stricter, by name, as JSON
  created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX domain_system ON domain (kind) WHERE kind = 'system';

CREATE TABLE inbox (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  name_key   TEXT    NOT NULL UNIQUE, -- the name in lower case, as the program folds it
  kind       TEXT    NOT NULL CHECK (kind IN ('inbox', 'helpdesk')),
  address    TEXT    NOT NULL DEFAULT '',
  mail       TEXT    NOT NULL DEFAULT '{}', -- portal.MailIn as JSON; its password is a secret
  desk       TEXT    NOT NULL DEFAULT '{}', -- portal.DeskSettings as JSON
  created_at INTEGER NOT NULL,
  CHECK (kind = 'helpdesk' OR address <> '')
) STRICT;
CREATE UNIQUE INDEX inbox_address ON inbox (address) WHERE address <> '';

-- How far an inbox's IMAP folder has been read.
CREATE TABLE mailbox_place (
  inbox_id INTEGER PRIMARY KEY REFERENCES inbox (id) ON DELETE CASCADE,
  validity INTEGER NOT NULL, -- the folder's UIDVALIDITY
  uid      INTEGER NOT NULL, -- everything up to this one has been dealt with
  at       INTEGER NOT NULL
) STRICT;

-- How fetching from an inbox's mailbox went when serve last said so.
CREATE TABLE mailbox_status (
  inbox_id  INTEGER PRIMARY KEY REFERENCES inbox (id) ON DELETE CASCADE,
  state     TEXT    NOT NULL CHECK (state IN ('connecting', 'connected', 'failing')),
  since     INTEGER NOT NULL,
  looked_at INTEGER,
  mail_at   INTEGER,
  waiting   INTEGER NOT NULL,
  error     TEXT    NOT NULL DEFAULT '',
  error_at  INTEGER,
  at        INTEGER NOT NULL
) STRICT;

CREATE TABLE portal (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT    NOT NULL,
  domain_id  INTEGER NOT NULL REFERENCES domain (id),
  slug       TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('draft', 'live', 'paused')),
  accent     TEXT    NOT NULL,
  time_zone  TEXT    NOT NULL,
  inbox_id   INTEGER REFERENCES inbox (id),
  tickets    TEXT    NOT NULL, -- portal.TicketSettings as JSON
  access     TEXT    NOT NULL, -- portal.AccessSettings as JSON
  languages  TEXT    NOT NULL DEFAULT '[]', -- codes offered beside the domain's, as JSON
  brand      TEXT    NOT NULL DEFAULT '{}', -- portal.Brand as JSON
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (domain_id, slug)
) STRICT;

-- Where else visitors find a portal; they are sent on to its own address.
-- A portal that lies at the address itself comes first.
CREATE TABLE portal_address (
  domain_id  INTEGER NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
  slug       TEXT    NOT NULL,
  portal_id  INTEGER NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
  kind       TEXT    NOT NULL CHECK (kind IN ('further', 'former')), -- further: added by the operator; former: where it was once
  created_at INTEGER NOT NULL,
  PRIMARY KEY (domain_id, slug)
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_address_portal ON portal_address (portal_id);

-- The pictures of a portal's face; portal.brand names them by their hash.
CREATE TABLE portal_image (
  portal_id  INTEGER NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
  kind       TEXT    NOT NULL,
  sha256     TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  data       BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (portal_id, kind)
) STRICT;
CREATE INDEX portal_image_sha256 ON portal_image (sha256);

-- Sentences an operator has put in the place of ours.
CREATE TABLE portal_text (
  portal_id  INTEGER NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
  language   TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  text       TEXT    NOT NULL, -- plural forms by name, as JSON; {"other": …} of a simple text
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (portal_id, language, key)
) STRICT, WITHOUT ROWID;

-- How obtaining and renewing a host's certificate goes.
CREATE TABLE certificate (
  host       TEXT    PRIMARY KEY,
  state      TEXT    NOT NULL CHECK (state IN ('obtaining', 'good', 'failing')),
  issuer     TEXT    NOT NULL DEFAULT '',
  not_after  INTEGER,
  failures   INTEGER NOT NULL DEFAULT 0, -- in a row
  error      TEXT    NOT NULL DEFAULT '',
  error_at   INTEGER,
  next_at    INTEGER,                    -- of the next try, after failures
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  email      TEXT    NOT NULL UNIQUE,
  name       TEXT    NOT NULL,
  role       TEXT    NOT NULL CHECK (role IN ('agent', 'admin')),
  disabled   INTEGER NOT NULL DEFAULT 0,
  must_factor INTEGER NOT NULL DEFAULT 0, -- a second factor is demanded
  every_inbox INTEGER NOT NULL DEFAULT 1, -- not only those of agent_inbox; an admin sees all anyway
  language   TEXT    NOT NULL DEFAULT '',
  time_zone  TEXT    NOT NULL DEFAULT '',
  notify     TEXT    NOT NULL DEFAULT 'mine' CHECK (notify IN ('all', 'mine', 'none')),
  signature  TEXT    NOT NULL DEFAULT '', -- below their answers in mail
  away       INTEGER NOT NULL DEFAULT 0,  -- gets no tickets by rule
  no_shortcuts INTEGER NOT NULL DEFAULT 0, -- single keys do nothing on the help desk's pages
  dealt_at   INTEGER,                     -- when a rule last gave them a ticket: whose turn is next
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agent_inbox (
  agent_id INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  inbox_id INTEGER NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
  PRIMARY KEY (agent_id, inbox_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE company (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT    NOT NULL,
  name_key    TEXT    NOT NULL,
  domain      TEXT    NOT NULL DEFAULT '',
  external_id TEXT    NOT NULL DEFAULT '',
  properties  TEXT    NOT NULL DEFAULT '{}',
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX company_name ON company (name_key, id);
CREATE INDEX company_domain ON company (domain) WHERE domain <> '';
CREATE UNIQUE INDEX company_external ON company (external_id) WHERE external_id <> '';

CREATE TABLE contact (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  email        TEXT    NOT NULL UNIQUE,
  name         TEXT    NOT NULL DEFAULT '',
  name_key     TEXT    NOT NULL DEFAULT '',
  member_email TEXT    NOT NULL DEFAULT '',
  language     TEXT    NOT NULL DEFAULT '',
  time_zone    TEXT    NOT NULL DEFAULT '',
  properties   TEXT    NOT NULL DEFAULT '{}',
  external_id  TEXT    NOT NULL DEFAULT '',
  proven       TEXT    NOT NULL DEFAULT '', -- the address they were last seen to read
  notify       TEXT    NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mine', 'none', 'digest')),
  bounced      TEXT    NOT NULL DEFAULT '', -- the address mail came back from for good
  bounced_at   INTEGER,
  bounced_why  TEXT    NOT NULL DEFAULT '', -- what the server said
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  erased_at    INTEGER, -- only the number is left of them, which their tickets name
  erased_mark  BLOB     -- of the address they had: made with the key file, so that nobody without it can try addresses
) STRICT;
CREATE UNIQUE INDEX contact_member_email ON contact (member_email) WHERE member_email <> '';
CREATE UNIQUE INDEX contact_external ON contact (external_id) WHERE external_id <> '';
CREATE INDEX contact_erased ON contact (erased_mark) WHERE erased_mark IS NOT NULL;

CREATE TABLE contact_company (
  contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  company_id INTEGER NOT NULL REFERENCES company (id) ON DELETE CASCADE,
  is_primary INTEGER NOT NULL DEFAULT 0,
  by_domain  TEXT    NOT NULL DEFAULT '', -- the mail domain that made the contact belong to it
  PRIMARY KEY (contact_id, company_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contact_company_primary ON contact_company (contact_id) WHERE is_primary = 1;
CREATE INDEX contact_company_company ON contact_company (company_id, contact_id);

CREATE TABLE access_group (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT    NOT NULL,
  name_key   TEXT    NOT NULL UNIQUE,
  rules      TEXT    NOT NULL DEFAULT '[]', -- portal.RuleSet as JSON; none for a group that lists its contacts
  created_at INTEGER NOT NULL
) STRICT;

-- Who is in a group by its rules stands here too, so that one question finds
-- both; contacts and rules that change bring it up to date.
CREATE TABLE group_contact (
  group_id   INTEGER NOT NULL REFERENCES access_group (id) ON DELETE CASCADE,
  contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  by_rule    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (group_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_contact_contact ON group_contact (contact_id, group_id);

CREATE TABLE portal_group (
  portal_id INTEGER NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
  group_id  INTEGER NOT NULL REFERENCES access_group (id),
  PRIMARY KEY (portal_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_group_group ON portal_group (group_id);

CREATE TABLE member (
  portal_id       INTEGER NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
  contact_id      INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  status          TEXT    NOT NULL CHECK (status IN ('invited', 'pending', 'registered', 'failed', 'disabled')),
  invited_at      INTEGER,
  requested_at    INTEGER,
  registered_at   INTEGER,
  failed_at       INTEGER,
  disabled_at     INTEGER,
  last_sign_in_at INTEGER,
  grace_until     INTEGER, -- a change of settings made it and nothing was sent yet: it can be taken back
  refused_at      INTEGER, -- asked to register and was refused; disabled since
  refusal         TEXT    NOT NULL DEFAULT '', -- the reason they were given
  read_from       INTEGER NOT NULL DEFAULT 0, -- messages up to this id never count as unread
  PRIMARY KEY (portal_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_status ON member (portal_id, status, contact_id);
CREATE INDEX member_contact ON member (contact_id);
CREATE INDEX member_grace ON member (portal_id, contact_id) WHERE grace_until IS NOT NULL;

-- The tables of how people prove who they are name a contact or an agent.
CREATE TABLE credential (
  id            INTEGER PRIMARY KEY,
  contact_id    INTEGER UNIQUE REFERENCES contact (id) ON DELETE CASCADE,
  agent_id      INTEGER UNIQUE REFERENCES agent (id) ON DELETE CASCADE,
  password_hash TEXT    NOT NULL,
  changed_at    INTEGER NOT NULL,
  CHECK ((contact_id IS NULL) <> (agent_id IS NULL))
) STRICT;

-- The random name by which authenticators know somebody.
CREATE TABLE passkey_user (
  handle     BLOB    PRIMARY KEY,
  contact_id INTEGER UNIQUE REFERENCES contact (id) ON DELETE CASCADE,
  agent_id   INTEGER UNIQUE REFERENCES agent (id) ON DELETE CASCADE,
  CHECK ((contact_id IS NULL) <> (agent_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE passkey (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  contact_id    INTEGER REFERENCES contact (id) ON DELETE CASCADE,
  agent_id      INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  host          TEXT    NOT NULL, -- the relying party: it works only there
  credential_id BLOB    NOT NULL UNIQUE,
  credential    TEXT    NOT NULL, -- the library's record as JSON
  name          TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  used_at       INTEGER,
  CHECK ((contact_id IS NULL) <> (agent_id IS NULL))
) STRICT;
CREATE INDEX passkey_contact ON passkey (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX passkey_agent ON passkey (agent_id) WHERE agent_id IS NOT NULL;

-- An authenticator app that its owner has shown to work.
CREATE TABLE second_factor (
  id           INTEGER PRIMARY KEY,
  contact_id   INTEGER UNIQUE REFERENCES contact (id) ON DELETE CASCADE,
  agent_id     INTEGER UNIQUE REFERENCES agent (id) ON DELETE CASCADE,
  secret       BLOB    NOT NULL, -- sealed with the key file
  last_step    INTEGER NOT NULL, -- the newest time step accepted: no code works twice
  wrong        INTEGER NOT NULL DEFAULT 0, -- wrong codes since the last right one
  confirmed_at INTEGER NOT NULL,
  CHECK ((contact_id IS NULL) <> (agent_id IS NULL))
) STRICT;

-- For who has lost the phone. Only hashes are kept.
CREATE TABLE recovery_code (
  id         INTEGER PRIMARY KEY,
  contact_id INTEGER REFERENCES contact (id) ON DELETE CASCADE,
  agent_id   INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  hash       BLOB    NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  used_at    INTEGER,
  CHECK ((contact_id IS NULL) <> (agent_id IS NULL))
) STRICT;
CREATE INDEX recovery_code_contact ON recovery_code (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX recovery_code_agent ON recovery_code (agent_id) WHERE agent_id IS NOT NULL;

-- Who somebody is at an identity provider.
CREATE TABLE identity (
  issuer          TEXT    NOT NULL,
  subject         TEXT    NOT NULL,
  contact_id      INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  created_at      INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_contact ON identity (contact_id);

-- What one browser began and has to come back with: a passkey's challenge, a
-- journey to an identity provider, a code sent to prove an address. Only the
-- hash of what the browser holds is kept.
CREATE TABLE handshake (
  hash       BLOB    PRIMARY KEY,
  kind       TEXT    NOT NULL,
  portal_id  INTEGER REFERENCES portal (id) ON DELETE CASCADE,
  contact_id INTEGER REFERENCES contact (id) ON DELETE CASCADE,
  agent_id   INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  data       BLOB    NOT NULL,
  tries      INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX handshake_expires ON handshake (expires_at);

-- Browsers somebody has signed in with, so that a new one can be told of.
CREATE TABLE device (
  hash       BLOB    NOT NULL,
  contact_id INTEGER NOT NULL DEFAULT 0, -- 0 for none, as NULLs would not make a key
  agent_id   INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  PRIMARY KEY (contact_id, agent_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_seen ON device (seen_at);

-- What the program needs in the clear and nobody else may read, sealed with
-- the key file that lies outside the store.
CREATE TABLE secret (
  name       TEXT    PRIMARY KEY,
  sealed     BLOB    NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time links. Only the hash of a token is kept.
CREATE TABLE token (
  hash       BLOB    PRIMARY KEY,
  kind       TEXT    NOT NULL CHECK (kind IN ('sign_in', 'invitation', 'register', 'reset', 'email', 'view', 'not_me')),
  portal_id  INTEGER REFERENCES portal (id) ON DELETE CASCADE,
  contact_id INTEGER REFERENCES contact (id) ON DELETE CASCADE,
  agent_id   INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  email      TEXT    NOT NULL DEFAULT '',
  return_to  TEXT    NOT NULL DEFAULT '',
  asked      BLOB, -- hash of what the browser holds that asked for it
  familiar   INTEGER NOT NULL DEFAULT 0, -- that browser had been signed in with before
  code       BLOB, -- hash of the short code shown there, for other browsers
  tries      INTEGER NOT NULL DEFAULT 0, -- wrong codes
  opened_by  TEXT    NOT NULL DEFAULT '', -- the operator, of a view as a customer
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_contact ON token (contact_id, kind);
CREATE INDEX token_agent ON token (agent_id, kind);
CREATE INDEX token_email ON token (email, kind) WHERE email <> '';
CREATE INDEX token_expires ON token (expires_at);

CREATE TABLE session (
  id         INTEGER PRIMARY KEY,
  hash       BLOB    NOT NULL UNIQUE,
  portal_id  INTEGER REFERENCES portal (id) ON DELETE CASCADE,
  contact_id INTEGER REFERENCES contact (id) ON DELETE CASCADE,
  agent_id   INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  user_agent TEXT    NOT NULL DEFAULT '',
  address    TEXT    NOT NULL DEFAULT '', -- where it was last seen from
  way        TEXT    NOT NULL DEFAULT '', -- how its holder came in
  factor     INTEGER NOT NULL DEFAULT 0,  -- a second factor was given
  proved_at  INTEGER,                     -- when they last proved again who they are
  opened_by  TEXT    NOT NULL DEFAULT '', -- the operator who only looks, as this contact
  provider   BLOB,                        -- sealed: the identity provider's token, to sign out there
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, -- the absolute limit
  ended_at   INTEGER,
  end_reason TEXT    NOT NULL DEFAULT '',
  CHECK ((contact_id IS NULL) <> (agent_id IS NULL))
) STRICT;
CREATE INDEX session_contact ON session (contact_id, seen_at);
CREATE INDEX session_agent ON session (agent_id, seen_at);
CREATE INDEX session_seen ON session (seen_at);
CREATE INDEX session_look ON session (id) WHERE opened_by <> '';

CREATE TABLE consent (
  id         INTEGER PRIMARY KEY,
  contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  portal_id  INTEGER NOT NULL REFERENCES portal (id) ON DELETE CASCADE,
  version    INTEGER NOT NULL,
  language   TEXT    NOT NULL,
  text       TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  withdrawn_at INTEGER
) STRICT;
CREATE INDEX consent_contact ON consent (contact_id, portal_id, version);

CREATE TABLE ticket (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  subject      TEXT    NOT NULL,
  status       TEXT    NOT NULL CHECK (status IN ('new', 'waiting_on_us', 'waiting_on_customer', 'closed')),
  priority     TEXT    NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  category     TEXT    NOT NULL DEFAULT '',
  contact_id   INTEGER NOT NULL REFERENCES contact (id),
  company_id   INTEGER REFERENCES company (id) ON DELETE SET NULL,
  inbox_id     INTEGER NOT NULL REFERENCES inbox (id),
  portal_id    INTEGER REFERENCES portal (id) ON DELETE SET NULL,
  assignee_id  INTEGER REFERENCES agent (id),
  confidential INTEGER NOT NULL DEFAULT 0,
  fields       TEXT    NOT NULL DEFAULT '{}',
  external_id  TEXT    NOT NULL DEFAULT '',
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  status_at    INTEGER NOT NULL,
  closed_at    INTEGER,
  last_public  INTEGER NOT NULL DEFAULT 0, -- id of the newest public message
  file_count   INTEGER NOT NULL DEFAULT 0,
  via          TEXT    NOT NULL DEFAULT '', -- how it was opened: portal, mail, desk, import
  answered_at    INTEGER, -- the first public message of an agent
  answer_due_at  INTEGER, -- the targets, reckoned in the inbox's hours; NULL: none
  resolve_due_at INTEGER,
  clock_at       INTEGER, -- from when the targets count; NULL: created_at
  promised_at    INTEGER, -- when the agent said the customer would hear again
  remind_at      INTEGER, -- when the assignee is to be reminded of that; NULL: they were
  snoozed_until  INTEGER,
  merged_into    INTEGER REFERENCES ticket (number) ON DELETE SET NULL,
  rating         INTEGER CHECK (rating BETWEEN 1 AND 5),
  rating_text    TEXT    NOT NULL DEFAULT '',
  rated_at       INTEGER,
  -- What the desk's queues are ordered by: since when the desk is waited for,
  -- and the target that runs. What has neither comes last.
  waits_at INTEGER NOT NULL GENERATED ALWAYS AS (CASE status WHEN 'waiting_on_customer' THEN status_at + 4000000000000000 ELSE status_at END) STORED,
  due_at   INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(CASE WHEN answered_at IS NULL AND answer_due_at IS NOT NULL THEN answer_due_at
    WHEN status = 'waiting_on_customer' THEN NULL ELSE resolve_due_at END, 4000000000000000)) STORED
) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('ticket', 1000);

-- Each list reads one of these from its front and needs nothing else; see
-- the plans test. The open ones serve the lists without closed tickets.
CREATE INDEX ticket_of_contact ON ticket (contact_id, updated_at DESC, number DESC,
  status, subject, priority, category, company_id, assignee_id, inbox_id, confidential, created_at, status_at, last_public);
CREATE INDEX ticket_of_company ON ticket (company_id, updated_at DESC, number DESC,
  contact_id, status, subject, priority, category, assignee_id, inbox_id, confidential, created_at, status_at, last_public);
CREATE INDEX ticket_of_all ON ticket (updated_at DESC, number DESC,
  contact_id, status, subject, priority, category, company_id, assignee_id, inbox_id, confidential, created_at, status_at, last_public);
CREATE INDEX ticket_open_of_contact ON ticket (contact_id, updated_at DESC, number DESC,
  status, subject, priority, category, company_id, assignee_id, inbox_id, confidential, created_at, status_at, last_public)
  WHERE status <> 'closed';
CREATE INDEX ticket_open_of_company ON ticket (company_id, updated_at DESC, number DESC,
  contact_id, status, subject, priority, category, assignee_id, inbox_id, confidential, created_at, status_at, last_public)
  WHERE status <> 'closed';
CREATE INDEX ticket_open_of_all ON ticket (updated_at DESC, number DESC,
  contact_id, status, subject, priority, category, company_id, assignee_id, inbox_id, confidential, created_at, status_at, last_public)
  WHERE status <> 'closed';
CREATE UNIQUE INDEX ticket_external ON ticket (external_id) WHERE external_id <> '';
CREATE INDEX ticket_of_assignee ON ticket (assignee_id, updated_at DESC, number DESC,
  contact_id, status, subject, priority, category, company_id, inbox_id, confidential, created_at, status_at, last_public)
  WHERE assignee_id IS NOT NULL;
CREATE INDEX ticket_remind ON ticket (remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX ticket_snoozed ON ticket (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL;

-- Words the desk puts on tickets to find them by; customers do not see them.
CREATE TABLE ticket_tag (
  ticket INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  tag    TEXT    NOT NULL, -- as the program folds it
  PRIMARY KEY (ticket, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_tag_tag ON ticket_tag (tag, ticket);

-- Tickets that have to do with each other: a row on each side.
CREATE TABLE ticket_link (
  ticket INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  other  INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  kind   TEXT    NOT NULL, -- what ticket is to other
  at     INTEGER NOT NULL,
  PRIMARY KEY (ticket, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_link_other ON ticket_link (other);

-- The desk's queues. They find and count a page's tickets by what an agent
-- filters by; what the rows show is looked up for the page alone, so that
-- every change to a ticket writes little here.
CREATE INDEX ticket_desk_status ON ticket (status, updated_at DESC, number DESC, assignee_id, inbox_id, priority, snoozed_until);
CREATE INDEX ticket_desk_inbox ON ticket (inbox_id, updated_at DESC, number DESC, status, assignee_id, priority, snoozed_until);
CREATE INDEX ticket_desk_open_inbox ON ticket (inbox_id, updated_at DESC, number DESC, status, assignee_id, priority, snoozed_until)
  WHERE status <> 'closed';
CREATE INDEX ticket_desk_assignee ON ticket (assignee_id, updated_at DESC, number DESC, status, inbox_id, priority, snoozed_until)
  WHERE status <> 'closed';
CREATE INDEX ticket_desk_created ON ticket (created_at DESC, number DESC, status, assignee_id, inbox_id, priority, snoozed_until)
  WHERE status <> 'closed';
CREATE INDEX ticket_desk_waits ON ticket (waits_at, number, status, assignee_id, inbox_id, priority, snoozed_until) WHERE status <> 'closed';
CREATE INDEX ticket_desk_due ON ticket (due_at, number, status, assignee_id, inbox_id, priority, snoozed_until) WHERE status <> 'closed';
CREATE INDEX ticket_desk_snoozed ON ticket (snoozed_until, number, updated_at, status, assignee_id, inbox_id, priority)
  WHERE snoozed_until IS NOT NULL AND status <> 'closed';

-- What reports and the usual time to a first answer are worked out from.
CREATE INDEX ticket_opened ON ticket (created_at, inbox_id, company_id, assignee_id, answered_at, answer_due_at, merged_into);
CREATE INDEX ticket_closed ON ticket (closed_at, inbox_id, company_id, assignee_id, created_at, resolve_due_at, merged_into)
  WHERE closed_at IS NOT NULL;
CREATE INDEX ticket_rated ON ticket (rated_at, inbox_id, company_id, assignee_id, rating) WHERE rated_at IS NOT NULL;
CREATE INDEX ticket_answered ON ticket (inbox_id, created_at, answered_at) WHERE answered_at IS NOT NULL;

-- Queries of the desk's list kept under a name, in the order of place.
CREATE TABLE desk_view (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  agent_id   INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  name       TEXT    NOT NULL,
  shared     INTEGER NOT NULL DEFAULT 0,
  query      TEXT    NOT NULL, -- portal.DeskQuery as JSON
  place      INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_view_agent ON desk_view (agent_id);

-- Further contacts of a ticket. updated_at repeats the ticket's, so that a
-- participant's list is read in order.
CREATE TABLE participant (
  ticket     INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (ticket, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX participant_contact ON participant (contact_id, updated_at DESC, ticket DESC);

CREATE TABLE message (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket      INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  kind        TEXT    NOT NULL CHECK (kind IN ('public', 'internal')),
  contact_id  INTEGER REFERENCES contact (id) ON DELETE SET NULL,
  agent_id    INTEGER REFERENCES agent (id) ON DELETE SET NULL,
  author      TEXT    NOT NULL DEFAULT '', -- the name an import gave, when neither is known
  body        TEXT    NOT NULL,
  format      TEXT    NOT NULL CHECK (format IN ('text', 'markdown', 'html')),
  quoted      TEXT    NOT NULL DEFAULT '', -- what a mail quoted below its text; shown on asking
  via         TEXT    NOT NULL DEFAULT '', -- mail, or nothing
  external_id TEXT    NOT NULL DEFAULT '',
  at          INTEGER NOT NULL
) STRICT;
CREATE INDEX message_ticket ON message (ticket, id);
CREATE INDEX message_contact ON message (contact_id, at) WHERE contact_id IS NOT NULL;

CREATE TABLE file (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  ticket     INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  name       TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  size       INTEGER NOT NULL,
  sha256     TEXT    NOT NULL,
  at         INTEGER NOT NULL
) STRICT;
CREATE INDEX file_ticket ON file (ticket, message_id);
CREATE INDEX file_message ON file (message_id);
CREATE INDEX file_sha256 ON file (sha256);

CREATE TABLE event (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket     INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  kind       TEXT    NOT NULL,
  contact_id INTEGER REFERENCES contact (id) ON DELETE SET NULL,
  agent_id   INTEGER REFERENCES agent (id) ON DELETE SET NULL,
  operator   INTEGER NOT NULL DEFAULT 0,
  about_id   INTEGER REFERENCES contact (id) ON DELETE SET NULL, -- whom the values name
  from_value TEXT    NOT NULL DEFAULT '',
  to_value   TEXT    NOT NULL DEFAULT '',
  at         INTEGER NOT NULL
) STRICT;
CREATE INDEX event_ticket ON event (ticket, id);

CREATE TABLE read_mark (
  contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  ticket     INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  message_id INTEGER NOT NULL, -- the newest public message seen
  at         INTEGER,          -- when it was seen first; NULL for a mark that came with an import
  PRIMARY KEY (contact_id, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX read_mark_ticket ON read_mark (ticket);

-- What somebody typed and has not sent: key is 'new' or a ticket's number.
CREATE TABLE draft (
  contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  key        TEXT    NOT NULL,
  form       TEXT    NOT NULL, -- JSON: field name to value
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (contact_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_updated ON draft (updated_at);

-- The conversation page of the help desk.

-- What an agent typed and has not sent. key is 'new', or a ticket's number and
-- the mode it was typed in: 'T-1042 answer', 'T-1042 note'.
CREATE TABLE desk_draft (
  agent_id   INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  key        TEXT    NOT NULL,
  form       TEXT    NOT NULL, -- JSON: field name to value
  why        TEXT    NOT NULL DEFAULT '', -- an answer that came back instead of being sent: the reason's code
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX desk_draft_updated ON desk_draft (updated_at);

-- Answers that go out when their time comes, unless they are taken back. Until
-- then no customer and no mail knows of them.
CREATE TABLE pending_answer (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket     INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  agent_id   INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  body       TEXT    NOT NULL,
  next       TEXT    NOT NULL CHECK (next IN ('wait', 'keep', 'close')), -- what becomes of the ticket
  status     TEXT    NOT NULL, -- of the ticket when the agent pressed the button
  seen       INTEGER NOT NULL, -- the newest public message there was then
  created_at INTEGER NOT NULL,
  due_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX pending_answer_due ON pending_answer (due_at, id);
CREATE INDEX pending_answer_ticket ON pending_answer (ticket);

-- Files of a draft, or of an answer that waits: they keep the bytes from being
-- swept out.
CREATE TABLE desk_file (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  agent_id  INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  key       TEXT    NOT NULL, -- of the draft
  answer_id INTEGER REFERENCES pending_answer (id) ON DELETE CASCADE, -- NULL: of the draft itself
  name      TEXT    NOT NULL,
  type      TEXT    NOT NULL,
  size      INTEGER NOT NULL,
  sha256    TEXT    NOT NULL,
  at        INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_file_agent ON desk_file (agent_id, key);
CREATE INDEX desk_file_answer ON desk_file (answer_id) WHERE answer_id IS NOT NULL;
CREATE INDEX desk_file_sha256 ON desk_file (sha256);
CREATE INDEX desk_file_at ON desk_file (at);

-- Who has a ticket's page open. A row counts for a short while after seen_at.
CREATE TABLE presence (
  ticket   INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  agent_id INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  mode     TEXT    NOT NULL CHECK (mode IN ('viewing', 'answer', 'note')),
  seen_at  INTEGER NOT NULL,
  PRIMARY KEY (ticket, agent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_seen ON presence (seen_at);
CREATE INDEX presence_agent ON presence (agent_id);

-- Texts agents answer with again and again.
CREATE TABLE canned (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT    NOT NULL,
  name_key   TEXT    NOT NULL UNIQUE,
  body       TEXT    NOT NULL, -- Markdown with {{placeholders}}
  inbox_id   INTEGER REFERENCES inbox (id) ON DELETE CASCADE, -- NULL: for all of them
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX canned_inbox ON canned (inbox_id) WHERE inbox_id IS NOT NULL;

-- Agents named in a note with @.
CREATE TABLE mention (
  agent_id   INTEGER NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  ticket     INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
  at         INTEGER NOT NULL,
  seen_at    INTEGER, -- when the agent opened the ticket after that
  PRIMARY KEY (agent_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_unseen ON mention (agent_id, ticket) WHERE seen_at IS NULL;
CREATE INDEX mention_ticket ON mention (ticket);
CREATE INDEX mention_message ON mention (message_id);

CREATE INDEX ticket_rated_by ON ticket (contact_id, rated_at DESC) WHERE rating IS NOT NULL;

-- Mail to be sent. A row says what and to whom; text and one-time links are
-- made when it is sent, so that none of them lie here.
CREATE TABLE outbox (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT    NOT NULL,
  recipient   TEXT    NOT NULL, -- the address, lower case
  portal_id   INTEGER REFERENCES portal (id) ON DELETE CASCADE,
  contact_id  INTEGER REFERENCES contact (id) ON DELETE CASCADE,
  agent_id    INTEGER REFERENCES agent (id) ON DELETE CASCADE,
  inbox_id    INTEGER REFERENCES inbox (id) ON DELETE CASCADE,
  ticket      INTEGER REFERENCES ticket (number) ON DELETE CASCADE,
  message_id  INTEGER REFERENCES message (id) ON DELETE CASCADE,
  data        TEXT    NOT NULL DEFAULT '{}',
  header_id   TEXT    NOT NULL UNIQUE, -- the Message-ID, fixed when written
  notice      INTEGER NOT NULL DEFAULT 0, -- counts against the hourly limit; may be folded into a digest
  created_at  INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  digest_at   INTEGER, -- not before then, and together with what else waits for that person
  attempts    INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER,
  sent_at     INTEGER,
  failed_at   INTEGER,
  dropped_at  INTEGER, -- not sent on purpose: the recipient may no longer see it
  last_error  TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at, id, digest_at) WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL;
CREATE INDEX outbox_recipient ON outbox (recipient, sent_at);
CREATE INDEX outbox_ticket ON outbox (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (id) WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL;
CREATE INDEX outbox_failed ON outbox (id) WHERE failed_at IS NOT NULL;
CREATE INDEX outbox_dropped ON outbox (id) WHERE dropped_at IS NOT NULL;

-- Mail that came in: a line each, with what became of it. The raw source lies
-- among the files for a while, under its hash.
CREATE TABLE incoming (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  inbox_id   INTEGER REFERENCES inbox (id) ON DELETE SET NULL,
  source     TEXT    NOT NULL CHECK (source IN ('imap', 'lmtp', 'ingest')),
  decision   TEXT    NOT NULL CHECK (decision IN ('created', 'appended', 'held', 'ignored', 'duplicate', 'rejected')),
  reason     TEXT    NOT NULL,
  sender     TEXT    NOT NULL DEFAULT '', -- the From address, lower case
  proof      TEXT    NOT NULL DEFAULT '', -- proven, unproven, contradicted
  subject    TEXT    NOT NULL DEFAULT '',
  header_id  TEXT    NOT NULL DEFAULT '', -- its Message-ID: left@right
  sha256     TEXT    NOT NULL,            -- of the raw source
  size       INTEGER NOT NULL,
  envelope   TEXT    NOT NULL DEFAULT '{}', -- of the delivery, as JSON, so that a held mail can be looked at again
  validity   INTEGER NOT NULL DEFAULT 0,  -- its place in an IMAP folder
  uid        INTEGER NOT NULL DEFAULT 0,
  ticket     INTEGER REFERENCES ticket (number) ON DELETE SET NULL,
  message_id INTEGER REFERENCES message (id) ON DELETE SET NULL,
  contact_id INTEGER REFERENCES contact (id) ON DELETE SET NULL,
  agent_id   INTEGER REFERENCES agent (id) ON DELETE SET NULL,
  mail_id    INTEGER,                     -- a bounce: the mail of the outbox that came back
  first_id   INTEGER,                     -- a duplicate: the line of the first
  at         INTEGER NOT NULL,
  decided_at INTEGER,                     -- held mail: when somebody decided
  kept_until INTEGER                      -- the raw source is there until then; NULL: gone
) STRICT;
CREATE INDEX incoming_at ON incoming (at, id);
CREATE INDEX incoming_inbox ON incoming (inbox_id) WHERE inbox_id IS NOT NULL;
CREATE INDEX incoming_held ON incoming (id) WHERE decision = 'held';
CREATE INDEX incoming_header ON incoming (header_id) WHERE header_id <> '';
CREATE INDEX incoming_sha256 ON incoming (sha256);
CREATE INDEX incoming_sender ON incoming (sender, at) WHERE sender <> '';
CREATE INDEX incoming_ticket ON incoming (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX incoming_contact ON incoming (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX incoming_message ON incoming (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX incoming_kept ON incoming (kept_until) WHERE kept_until IS NOT NULL;
CREATE UNIQUE INDEX incoming_place ON incoming (inbox_id, validity, uid) WHERE validity <> 0;

-- Counters behind the limits on sign-ins, mails and tickets. key names what
-- is counted, such as 'fail:account:7' or 'register:net:203.0.113.9'.
CREATE TABLE counter (
  key        TEXT    PRIMARY KEY,
  count      INTEGER NOT NULL,
  since      INTEGER NOT NULL,
  until      INTEGER NOT NULL, -- forgotten after this
  blocked_at INTEGER           -- refused until then
) STRICT, WITHOUT ROWID;
CREATE INDEX counter_until ON counter (until);

-- One row a message; contentless, so the text is kept once. scope holds the
-- words that say who may find it: c7 for each party, k3 for the company
-- unless confidential; internal messages have none. Agents search all rows.
CREATE VIRTUAL TABLE message_search USING fts5 (
  scope, subject, body,
  content = '', contentless_delete = 1,
  tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);

-- Whom tickets are found by at the desk. The words stay in contact and
-- company, and leave the index at once when they change there.
CREATE VIRTUAL TABLE contact_search USING fts5 (
  name, email, content = 'contact', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);
CREATE VIRTUAL TABLE company_search USING fts5 (
  name, content = 'company', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);
INSERT INTO contact_search (contact_search, rank) VALUES ('secure-delete', 1);
INSERT INTO company_search (company_search, rank) VALUES ('secure-delete', 1);
-- +goose StatementBegin
CREATE TRIGGER contact_found AFTER INSERT ON contact BEGIN
  INSERT INTO contact_search (rowid, name, email) VALUES (NEW.id, NEW.name, NEW.email);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER contact_renamed AFTER UPDATE OF name, email ON contact WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email BEGIN
  INSERT INTO contact_search (contact_search, rowid, name, email) VALUES ('delete', OLD.id, OLD.name, OLD.email);
  INSERT INTO contact_search (rowid, name, email) VALUES (NEW.id, NEW.name, NEW.email);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER contact_lost AFTER DELETE ON contact BEGIN
  INSERT INTO contact_search (contact_search, rowid, name, email) VALUES ('delete', OLD.id, OLD.name, OLD.email);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER company_found AFTER INSERT ON company BEGIN
  INSERT INTO company_search (rowid, name) VALUES (NEW.id, NEW.name);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER company_renamed AFTER UPDATE OF name ON company WHEN OLD.name <> NEW.name BEGIN
  INSERT INTO company_search (company_search, rowid, name) VALUES ('delete', OLD.id, OLD.name);
  INSERT INTO company_search (rowid, name) VALUES (NEW.id, NEW.name);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER company_lost AFTER DELETE ON company BEGIN
  INSERT INTO company_search (company_search, rowid, name) VALUES ('delete', OLD.id, OLD.name);
END;
-- +goose StatementEnd

-- Who did what, in a chain: hash covers the row and the hash before it, so
-- that a gap or a change shows. Rows name people by id and outlive them;
-- before and after, which may hold names and addresses, stand in
-- audit_detail with a salt, and the chain holds only their hash. Erasing
-- somebody takes the details about them and leaves the chain whole.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY, -- counts up by one
  at         INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  contact_id INTEGER NOT NULL DEFAULT 0, -- who: at most one of these
  agent_id   INTEGER NOT NULL DEFAULT 0,
  operator   TEXT    NOT NULL DEFAULT '',
  portal_id  INTEGER NOT NULL DEFAULT 0,
  about      TEXT    NOT NULL DEFAULT '', -- what it concerns: contact:12, ticket:T-1042
  detail     BLOB    NOT NULL,
  hash       BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_kind ON audit (kind, id);
CREATE INDEX audit_about ON audit (about, id) WHERE about <> '';
CREATE INDEX audit_contact ON audit (contact_id, id) WHERE contact_id <> 0;

CREATE TABLE audit_detail (
  id   INTEGER PRIMARY KEY,
  salt BLOB    NOT NULL,
  data TEXT    NOT NULL
) STRICT;

-- The newest entry, as id:hash in hex. The next one follows on it, so that an
-- end that was cut off stays a gap.
INSERT INTO meta (key, value) VALUES ('audit_head', '0:');

-- +goose StatementBegin
CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only: no entry is changed');
END;
-- +goose StatementEnd
-- INSERT OR REPLACE removes what it replaces without asking the other triggers.
-- +goose StatementBegin
CREATE TRIGGER audit_insert BEFORE INSERT ON audit
WHEN NEW.id <= coalesce((SELECT max(id) FROM audit), 0)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only: no entry is changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_detail_insert BEFORE INSERT ON audit_detail
WHEN EXISTS (SELECT 1 FROM audit_detail WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only: no detail is changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_detail_update BEFORE UPDATE ON audit_detail BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only: no detail is changed');
END;
-- +goose StatementEnd

-- Only what the newest act of the retention names may go: its about is
-- audit:ID, the last entry removed.
-- +goose StatementBegin
CREATE TRIGGER audit_delete BEFORE DELETE ON audit
WHEN OLD.id > coalesce((SELECT CAST(substr(about, 7) AS INTEGER) FROM audit WHERE kind = 'audit.pruned' ORDER BY id DESC LIMIT 1), 0)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only: no entry is removed before its time');
END;
-- +goose StatementEnd
