package portal

import "time"

// DeskSlug is the path of the help desk on the base URL.
const DeskSlug = "helpdesk"

// deskIdle is how long an agent may leave the help desk alone: a working day.
const deskIdle = 9 * time.Hour

// DeskPortal is the help desk seen as a portal, so that agents get in and out
// of it the way everybody does: by the same pages, links and gates. It is not
// in the store, has the number 0, and no contact may enter it.
func DeskPortal(system Domain) *Portal {
	return &Portal{
		Name: "Help desk", DomainID: system.ID, Domain: system, Slug: DeskSlug, State: Live, Accent: DefaultAccent, TimeZone: "UTC",
		Access: AccessSettings{Methods: []SignInMethod{MethodPassword, MethodLink, MethodPasskey}, IdleTimeout: deskIdle},
	}
}

// IsDesk reports whether the portal is the help desk.
func (p *Portal) IsDesk() bool { return p.ID == 0 && p.Slug == DeskSlug }
