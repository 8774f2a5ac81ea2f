package app

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func svgLogo(inner string) *[]byte {
	data := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40">` + inner + `</svg>`)
	return &data
}

func kindsOf(p *portal.Portal) string {
	var kinds []string
	for _, i := range p.Brand.Images {
		kinds = append(kinds, string(i.Kind))
	}
	return strings.Join(kinds, " ")
}

// A portal's pictures: what is made from which, and that the store holds those
// the portal names and no others.
func TestSetPortalPictures(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	none := &[]byte{}
	sign := svgLogo(`<circle cx="20" cy="20" r="18" fill="#0b7a75"/><rect x="60" y="10" width="50" height="20" fill="#222"/>`)
	words := svgLogo(`<rect x="2" y="10" width="116" height="20" fill="#222"/>`)
	written := svgLogo(`<text y="30">Nordlys</text>`)
	var pixels bytes.Buffer
	square := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	for i := range square.Pix {
		square.Pix[i] = 0xff
	}
	square.Set(1, 1, color.Black)
	if err := png.Encode(&pixels, square); err != nil {
		t.Fatal(err)
	}
	own := pixels.Bytes()
	for _, tt := range []struct {
		name    string
		change  FaceChanges
		rename  string
		kinds   string
		icon    portal.IconSource
		changes int
	}{
		{"a logo with a sign", FaceChanges{Logo: sign}, "", "icon_home icon_tab logo mail", portal.IconFromLogo, 2},
		{"the same again", FaceChanges{Logo: sign}, "", "icon_home icon_tab logo mail", portal.IconFromLogo, 0},
		{"one of words", FaceChanges{Logo: words}, "", "icon icon_home icon_tab logo mail", portal.IconFromInitial, 2},
		{"another name", FaceChanges{}, "Zeta", "icon icon_home icon_tab logo mail", portal.IconFromInitial, 2},
		{"an icon of its own", FaceChanges{Icon: &own}, "", "icon_home icon_tab logo mail", portal.IconFromFile, 1},
		{"another logo beside it", FaceChanges{Logo: sign}, "", "icon_home icon_tab logo mail", portal.IconFromFile, 1},
		{"no icon of its own", FaceChanges{Icon: none}, "", "icon_home icon_tab logo mail", portal.IconFromLogo, 1},
		{"one for dark pages", FaceChanges{LogoDark: words}, "", "icon_home icon_tab logo logo_dark mail", portal.IconFromLogo, 1},
		{"that one alone", FaceChanges{Logo: none}, "", "icon icon_home icon_tab logo_dark mail", portal.IconFromInitial, 2},
		{"one that cannot be drawn", FaceChanges{Logo: written, LogoDark: none}, "", "icon icon_home icon_tab logo", portal.IconFromInitial, 2},
		{"none", FaceChanges{Logo: none}, "", "", "", 2},
	} {
		c := PortalChanges{FaceChanges: tt.change}
		if tt.rename != "" {
			c.Name = &tt.rename
		}
		r, err := w.SetPortal(ctx, w.portal.ID, c)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := kindsOf(r.Portal); got != tt.kinds || r.Portal.Brand.IconFrom != tt.icon || len(r.Changes) != tt.changes {
			t.Errorf("%s: pictures %q, icon from %q, changes %v; wanted %q, %q, %d", tt.name, got, r.Portal.Brand.IconFrom, r.Changes, tt.kinds, tt.icon, tt.changes)
		}
		err = w.store.Read(ctx, func(tx *store.Tx) error {
			p, err := tx.Portal(ctx, w.portal.ID)
			if err != nil {
				return err
			}
			for _, i := range p.Brand.Images {
				kept, err := tx.ImageOf(ctx, p.ID, i.Kind)
				if err != nil || kept.SHA256 != i.SHA256 || hashOf(kept.Data) != i.SHA256 {
					t.Errorf("%s: the store holds another %s than the portal names: %v", tt.name, i.Kind, err)
				}
			}
			for _, kind := range []portal.ImageKind{portal.ImageLogo, portal.ImageLogoDark, portal.ImageMail, portal.ImageIconHome} {
				if _, err := tx.ImageOf(ctx, p.ID, kind); p.Brand.Image(kind) == nil && portal.KindOf(err) != portal.NotFound {
					t.Errorf("%s: the store still holds %s", tt.name, kind)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestSetPortalBanner(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	set := func(c FaceChanges) (*portal.Banner, error) {
		r, err := w.SetPortal(ctx, w.portal.ID, PortalChanges{TimeZone: new("Europe/Stockholm"), FaceChanges: c})
		if err != nil {
			return nil, err
		}
		return r.Portal.Brand.Banner, nil
	}
	b, err := set(FaceChanges{
		Banner: new(" Closed  on Friday. "), BannerFrom: new("2026-12-01 08:00"), BannerUntil: new("2026-12-01T12:00:00Z"),
		BannerLink: new("More=https://example.com"), BannerWarning: new(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	from, until := time.Date(2026, 12, 1, 7, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	if b.Text != "Closed on Friday." || !b.StartsAt.Equal(from) || !b.EndsAt.Equal(until) || b.Link.URL != "https://example.com" || !b.Warning {
		t.Errorf("got %+v", b)
	}
	if b.Shown(from.Add(-time.Second)) || !b.Shown(from) || !b.Shown(until.Add(-time.Second)) || b.Shown(until) {
		t.Error("the banner does not show from its beginning to its end")
	}
	if b, err = set(FaceChanges{BannerUntil: new("always")}); err != nil || !b.EndsAt.IsZero() || b.Text != "Closed on Friday." {
		t.Errorf("without an end: %+v, %v", b, err)
	}
	if b, err = set(FaceChanges{Banner: new("Open again.")}); err != nil || b.Warning || b.Link != nil || !b.StartsAt.IsZero() {
		t.Errorf("a new text keeps what belonged to the old one: %+v, %v", b, err)
	}
	if b, err = set(FaceChanges{Banner: new("none")}); err != nil || b != nil {
		t.Errorf("taken away: %+v, %v", b, err)
	}
	for name, c := range map[string]FaceChanges{
		"portal.banner":      {BannerUntil: new("2026-12-01")},
		"portal.banner_time": {Banner: new("x"), BannerFrom: new("2026-12-02"), BannerUntil: new("2026-12-01")},
		"portal.link_url":    {Banner: new("x"), BannerLink: new("x=javascript:alert(1)")},
		"field.control":      {Banner: new("x\u202ey")},
	} {
		if _, err := set(c); portalCode(err) != name {
			t.Errorf("got %v, wanted %s", err, name)
		}
	}
}

// portalCode is the stable code of an error a person caused.
func portalCode(err error) string {
	if e, ok := err.(*portal.Error); ok {
		return e.Code
	}
	return ""
}

func TestMailCarriesThePortalsLogo(t *testing.T) {
	w := newWorld(t, nil)
	ctx := context.Background()
	sign := svgLogo(`<circle cx="20" cy="20" r="18" fill="#0b7a75"/>`)
	if _, err := w.SetPortal(ctx, w.portal.ID, PortalChanges{FaceChanges: FaceChanges{
		Logo: sign, FooterLinks: &[]string{"Imprint=https://example.com/imprint"},
	}}); err != nil {
		t.Fatal(err)
	}
	err := w.store.Read(ctx, func(tx *store.Tx) error {
		k := &packing{App: w.App, tx: tx, mail: &store.Mail{}}
		var err error
		if k.portal, err = tx.Portal(ctx, w.portal.ID); err != nil {
			return err
		}
		if err := k.face(ctx); err != nil {
			return err
		}
		if k.letter.Logo == nil || len(k.letter.Logo.PNG) > mailLogoBytes || k.letter.Logo.Height > mailLogoHeight || len(k.letter.FooterLinks) != 1 {
			t.Errorf("the mail has the logo %+v and the links %v", k.letter.Logo, k.letter.FooterLinks)
		}
		if config, err := png.DecodeConfig(bytes.NewReader(k.letter.Logo.PNG)); err != nil || config.Width < k.letter.Logo.Width {
			t.Errorf("the logo is no picture of its size: %+v, %v", config, err)
		}
		k.letter = portal.Letter{Office: true}
		if err := k.face(ctx); err != nil || k.letter.Logo != nil || k.letter.FooterLinks != nil {
			t.Errorf("mail to the desk carries the face: %+v, %v", k.letter, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
