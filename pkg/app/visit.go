package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Visit is one request to a portal: where it goes and who asks. Exactly one
// of Contact and Agent is set when somebody is signed in and may enter.
type Visit struct {
	Portal *portal.Portal
	// Path is the path below the portal's base path; it starts with a slash.
	Path string
	// Redirect is set when the host knows one portal and the path is above
	// it; the visitor belongs there instead.
	Redirect string

	Session *store.Session
	Contact *portal.Contact
	Agent   *portal.Agent
	Member  *portal.Member
	Viewer  portal.Viewer
	Entry   portal.Entry // why a signed-in contact may not enter, when they may not

	// Ended is set when the browser holds a session that has ended by itself
	// (idle, its longest time, signed out), so that what it posts can be kept
	// as the draft of the contact it belonged to.
	Ended portal.ContactID
}

// SignedIn reports whether somebody is signed in and may enter.
func (v *Visit) SignedIn() bool { return v.Contact != nil || v.Agent != nil }

// Language is the language of the page: the contact's own, else the portal's.
func (v *Visit) Language() string {
	if v.Contact != nil && v.Contact.Language != "" {
		return v.Contact.Language
	}
	return v.Portal.Language()
}

// TimeZone is the zone times are shown in.
func (v *Visit) TimeZone() *time.Location {
	for _, name := range []string{v.contactZone(), v.Portal.TimeZone} {
		if name == "" {
			continue
		}
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	return time.UTC
}

func (v *Visit) contactZone() string {
	if v.Contact != nil {
		return v.Contact.TimeZone
	}
	return ""
}

// Enter finds the portal a host and path lead to and who holds the session
// token, with one query. A host the store does not serve is NotFound with
// code host.unknown (421); a path no portal lies at is NotFound portal.none.
// A draft portal opens for agents only: for others it is portal.none; a
// paused one is returned and the page shows its notice.
func (a *App) Enter(ctx context.Context, host, path, token string) (*Visit, error) {
	panic("unwritten")
}
