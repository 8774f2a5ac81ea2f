package portal

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ParseIMAP reads the mailbox mail is fetched from, as operators write it:
// imaps://user@host:993/INBOX for TLS from the start, imap:// for STARTTLS,
// and imap://…?starttls=off on this machine alone. A password is refused: it
// would stand in the shell's history.
func ParseIMAP(s string) (*IMAPSource, error) {
	const field = "imap"
	bad := Invalidf("inbox.imap", field, "%q is not a mailbox", withoutPassword(s)).
		WithHint("write it like imaps://support@example.com@mail.example.com:993/INBOX")
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Hostname() == "" || u.User == nil || u.User.Username() == "" || u.Opaque != "" || u.Fragment != "" {
		return nil, bad
	}
	if _, has := u.User.Password(); has {
		return nil, Invalidf("inbox.imap", field, "a password does not belong into --imap, which others on this machine can read").
			WithHint("use --imap-password-file or PORTALCTL_IMAP_PASSWORD")
	}
	box := &IMAPSource{Host: strings.ToLower(u.Hostname()), User: u.User.Username(), Folder: strings.Trim(u.Path, "/")}
	if ip, err := netip.ParseAddr(box.Host); (err != nil || ip.Zone() != "") && strings.Trim(box.Host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return nil, bad
	}
	usual := 993
	switch strings.ToLower(u.Scheme) {
	case "imaps":
		box.Security = MailTLS
	case "imap":
		box.Security, usual = MailStartTLS, 143
	default:
		return nil, bad
	}
	if box.Port = usual; u.Port() != "" {
		if box.Port, err = strconv.Atoi(u.Port()); err != nil || box.Port < 1 || box.Port > 65535 {
			return nil, bad
		}
	}
	if box.Folder == "" || strings.EqualFold(box.Folder, "INBOX") {
		box.Folder = "INBOX"
	}
	for _, part := range []string{box.User, box.Folder} {
		if _, err := CleanLine(field, part); err != nil {
			return nil, bad
		}
	}
	for name, values := range u.Query() {
		if name != "starttls" || len(values) != 1 || values[0] != "off" || box.Security != MailStartTLS {
			return nil, Invalidf("inbox.imap", field, "%q is not an option of --imap; the only one is starttls=off, with imap://", name)
		}
		if !loopback(box.Host) {
			return nil, Invalidf("inbox.imap", field, "without TLS the password would go to %s for everybody to read", box.Host).
				WithHint("use imaps://, or leave starttls=off away")
		}
		box.Security = MailPlain
	}
	return box, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// withoutPassword is a mailbox as it may be shown.
func withoutPassword(s string) string {
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return s
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return s
	}
	user, _, hidden := strings.Cut(rest[:at], ":")
	if hidden {
		user += ":…"
	}
	return scheme + "://" + user + rest[at:]
}

// String writes the mailbox as ParseIMAP reads it.
func (s *IMAPSource) String() string {
	if s == nil {
		return ""
	}
	u := url.URL{Scheme: "imaps", Path: "/" + s.Folder}
	usual := 993
	if s.Security != MailTLS {
		u.Scheme, usual = "imap", 143
	}
	if s.Security == MailPlain {
		u.RawQuery = "starttls=off"
	}
	u.Host = s.Host
	if strings.Contains(s.Host, ":") {
		u.Host = "[" + s.Host + "]"
	}
	if s.Port != usual {
		u.Host += ":" + strconv.Itoa(s.Port)
	}
	// An @ in the name reads better as it is, and reads back.
	text := u.String()
	scheme, rest, _ := strings.Cut(text, "://")
	return scheme + "://" + strings.NewReplacer("%40", "@", ":", "%3A").Replace(url.PathEscape(s.User)) + "@" + rest
}

// SameFolder reports whether both are one folder, whose mails have one
// numbering.
func (s *IMAPSource) SameFolder(o *IMAPSource) bool {
	return s != nil && o != nil && s.Host == o.Host && s.Port == o.Port && s.User == o.User && s.Folder == o.Folder
}

// ParseAfter reads what becomes of mail in its folder once it was taken: keep,
// seen, delete or move:FOLDER.
func ParseAfter(s string) (AfterTaken, string, error) {
	word, folder, moves := strings.Cut(strings.TrimSpace(s), ":")
	folder = strings.TrimSpace(folder)
	after := AfterTaken(strings.ToLower(word))
	switch after {
	case AfterKeep, AfterSeen, AfterDelete:
		if !moves {
			return after, "", nil
		}
	case AfterMove:
		if line, err := CleanLine("after", folder); err == nil && line != "" {
			return after, line, nil
		}
	}
	return "", "", Invalidf("inbox.after", "after", "%q says nothing of taken mail; use keep, seen, delete or move:FOLDER", s)
}

// AfterText writes what becomes of taken mail, as ParseAfter reads it.
func (s *IMAPSource) AfterText() string {
	if s.After == AfterMove {
		return string(s.After) + ":" + s.MoveTo
	}
	return string(s.After)
}

// ParseUnknownSender reads hold, accept or reject.
func ParseUnknownSender(s string) (UnknownSender, error) {
	return oneOf("inbox.unknown", "unknown", "a way to treat unknown senders", s, UnknownHold, UnknownAccept, UnknownReject)
}

// OrDefault is the way, or hold where none was set.
func (u UnknownSender) OrDefault() UnknownSender {
	if u == "" {
		return UnknownHold
	}
	return u
}

// ParseServerName reads the name by which a mail server signs its verdicts
// (the authserv-id of RFC 8601); empty: no server is trusted.
func ParseServerName(s string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
	if len(name) > 253 || strings.ContainsAny(name, " ;=()\"\\/\t\r\n") {
		return "", Invalidf("inbox.trusted_server", "trusted-server", "%q is not the name of a mail server; it stands first in its Authentication-Results headers, like mx.example.com", s)
	}
	return name, nil
}
