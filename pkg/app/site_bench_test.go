package app

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1, 10, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			base, _ := url.Parse("https://portal.example.net")
			set := &settings{base: base, desk: portal.DeskPortal(portal.Domain{Kind: portal.SystemDomain})}
			var domains []portal.Domain
			var portals []portal.Portal
			for i := range n {
				d := portal.Domain{ID: portal.DomainID(i/5 + 2), Kind: portal.ConnectedDomain, Host: fmt.Sprintf("support%d.example.com", i/5)}
				d.VerifiedAt = d.VerifiedAt.AddDate(1, 0, 0)
				domains = append(domains, d)
				portals = append(portals, portal.Portal{ID: portal.PortalID(i + 1), DomainID: d.ID, Domain: d, Slug: fmt.Sprintf("slug%d", i%5), State: portal.Live})
			}
			set.sites = newSites(base, domains, portals, nil)
			host, path := fmt.Sprintf("support%d.example.com", (n-1)/5), fmt.Sprintf("/slug%d/tickets/T-1042", (n-1)%5)
			b.ReportAllocs()
			for b.Loop() {
				if at, err := set.find(host, path); err != nil || at.portal == nil {
					b.Fatal(err)
				}
			}
		})
	}
}
