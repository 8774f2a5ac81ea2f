package store

// Fate is what erasing somebody does to a place.
type Fate string

// The fates.
const (
	FateRemoved  Fate = "removed"  // the row goes
	FateReplaced Fate = "replaced" // the row stays and says nothing of them
	FateStays    Fate = "stays"    // it names them by their number alone, or is somebody else's
	FateNothing  Fate = "nothing"  // no contact stands there
)

// ErasePlace says what erasing a contact does to columns of a table, and why.
// A test holds the list to the schema: every column that can name a contact,
// and every one that can hold words, has its place here.
type ErasePlace struct {
	Table, Columns string // the columns' names, with spaces between them
	Fate           Fate
	Why            string
}

// ErasePlaces is what becomes of everything the store holds.
var ErasePlaces = []ErasePlace{
	{"contact", "email name name_key member_email proven language time_zone properties external_id notify bounced bounced_why", FateReplaced, "the number stays, because tickets name it; everything else goes"},
	{"contact", "erased_mark", FateStays, "tells that the address was erased to whoever names it again and has the key file"},
	{"contact_company", "contact_id by_domain", FateRemoved, "who they belonged to"},
	{"group_contact", "contact_id", FateRemoved, "what let them in"},
	{"member", "contact_id status refusal", FateRemoved, "what let them in, and when they came"},

	{"credential", "contact_id password_hash", FateRemoved, "a way in"},
	{"passkey_user", "contact_id handle", FateRemoved, "a way in"},
	{"passkey", "contact_id host credential_id credential name", FateRemoved, "a way in"},
	{"second_factor", "contact_id secret", FateRemoved, "a way in"},
	{"recovery_code", "contact_id hash", FateRemoved, "a way in"},
	{"identity", "contact_id issuer subject", FateRemoved, "a way in"},
	{"handshake", "contact_id hash kind data", FateRemoved, "a step on the way in; found by their address too"},
	{"device", "contact_id hash", FateRemoved, "their browsers"},
	{"token", "contact_id hash kind email return_to asked code opened_by", FateRemoved, "a link they were sent; found by their address too"},
	{"session", "contact_id hash user_agent address way opened_by provider end_reason", FateRemoved, "where they were signed in"},
	{"consent", "contact_id language text", FateRemoved, "what they agreed to; nobody is left whom it would bind"},

	{"ticket", "contact_id", FateStays, "the company's record of what it did; the number says nothing of who it was"},
	{"ticket", "subject fields", FateReplaced, "the words of whoever opened it; those of tickets that others opened stay"},
	{"ticket", "rating_text", FateReplaced, "what the requester thought of it; the stars stay in the reports"},
	{"ticket", "status priority category external_id via", FateStays, "how the desk sorted its work"},
	{"ticket_tag", "tag", FateStays, "how the desk sorted its work"},
	{"ticket_link", "kind", FateStays, "how the desk sorted its work"},
	{"participant", "contact_id", FateRemoved, "nobody is left to take part"},
	{"message", "contact_id", FateStays, "holds the place of what was said, by number"},
	{"message", "body format author external_id", FateReplaced, "their words; what others wrote is theirs and stays"},
	{"message", "quoted", FateReplaced, "what mail quotes in tickets they took part in, and wherever it has their address; whoever sent it"},
	{"message", "kind via", FateStays, "says who may read it, and how it came"},
	{"file", "name type sha256", FateRemoved, "what they sent, with its bytes unless another message has the same"},
	{"event", "contact_id", FateStays, "who did it, by number"},
	{"event", "about_id from_value to_value", FateReplaced, "their name in the history; other values stay"},
	{"event", "kind", FateStays, "what happened"},
	{"message_search", "scope subject body", FateReplaced, "found by what stands there now"},
	{"contact_search", "name email", FateReplaced, "found by what stands in contact"},
	{"company_search", "name", FateNothing, "an organisation is no person"},
	{"read_mark", "contact_id", FateRemoved, "what they had seen"},
	{"draft", "contact_id key form", FateRemoved, "what they typed and did not send"},

	{"desk_draft", "key form why", FateStays, "what an agent typed; the draft of a new ticket for them goes, as it holds their address"},
	{"pending_answer", "body next status", FateStays, "an agent's words, a few seconds before they are sent"},
	{"desk_file", "key name type sha256", FateStays, "what an agent is about to send"},
	{"presence", "mode", FateNothing, "of agents"},
	{"canned", "name name_key body", FateNothing, "settings"},

	{"outbox", "contact_id kind recipient data header_id last_error", FateRemoved, "mail to them, sent or not; mail to others about what they wrote is not sent any more"},
	{"incoming", "contact_id sender proof subject header_id sha256 envelope source decision reason", FateRemoved, "mail from them, with its source; of others' mail to tickets they took part in the source goes, as it quotes them; of mail that became no message it goes after 30 days"},
	{"counter", "key", FateRemoved, "what limits have counted of them"},

	{"audit", "contact_id kind operator about detail hash", FateStays, "the chain must stay whole, and names people by number"},
	{"audit_detail", "salt data", FateRemoved, "names, addresses and browsers of entries by them or about them"},

	{"access_group", "name name_key rules", FateStays, "settings; rules that name them are listed before erasing"},
	{"portal", "name slug state accent time_zone tickets access languages brand", FateStays, "settings; rules that name them are listed before erasing"},
	{"agent", "email name role language time_zone notify signature", FateStays, "an agent with the same address is listed before erasing"},
	{"desk_view", "name query", FateStays, "how an agent looks for tickets"},
	{"company", "name name_key domain external_id properties", FateNothing, "an organisation is no person"},
	{"portal_address", "slug kind", FateNothing, "settings"},
	{"portal_image", "kind sha256 type data", FateNothing, "the portal's logo"},
	{"portal_text", "language key text", FateNothing, "the portal's own sentences"},
	{"domain", "kind host language token lost_why hsts headers", FateNothing, "settings, and what DNS answered"},
	{"certificate", "host state issuer error", FateNothing, "what a certificate authority answered"},
	{"inbox", "name name_key kind address mail desk", FateNothing, "settings"},
	{"mailbox_status", "state error", FateNothing, "how fetching mail goes; what a server said of itself"},
	{"meta", "key value", FateNothing, "of the store itself"},
	{"secret", "name sealed", FateNothing, "of the program"},
}
