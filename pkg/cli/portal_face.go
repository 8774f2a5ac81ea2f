package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// faceFlags are the flags of a portal's face, which `portal set` writes down
// and `portal preview` shows.
type faceFlags struct {
	accent, font                          string
	logo, logoDark, icon                  string
	header, footer                        []string
	banner, bannerFrom, bannerUntil, link string
	warning                               bool
}

const faceHelp = `
Pictures are SVG, PNG or WebP; "none" takes one away. An SVG is taken apart and
written again without scripts and references to elsewhere. The icons of browser
tabs are made from the logo, or from --icon.

Times of a banner are in the portal's time zone ("2026-12-01 08:00"), or name
their own (2026-12-01T08:00:00+01:00); now and always set no limit.
`

func (f *faceFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.accent, "accent", "", "the colour of buttons and links, like #0f5fc2")
	flags.StringVar(&f.font, "font", "", "the font: "+strings.Join(portal.Fonts, ", ")+", or system for the reader's own")
	flags.StringVar(&f.logo, "logo", "", "a picture file in the place of the name, or none")
	flags.StringVar(&f.logoDark, "logo-dark", "", "the same for dark pages, or none")
	flags.StringVar(&f.icon, "icon", "", "a square picture file for browser tabs, or none to make it from the logo")
	flags.StringArrayVar(&f.header, "header-link", nil, "a link at the head of every page, like \"Company=https://example.com\"; repeat it for more, none for no links")
	flags.StringArrayVar(&f.footer, "footer-link", nil, "a link at the foot, like \"Imprint=https://example.com/imprint\"; repeat it for more, none for no links")
	flags.StringVar(&f.banner, "banner", "", "an announcement above every page, or none")
	flags.StringVar(&f.bannerFrom, "banner-from", "", "when it begins; now when not given")
	flags.StringVar(&f.bannerUntil, "banner-until", "", "when it ends; when not given, it stays until it is taken away")
	flags.StringVar(&f.link, "banner-link", "", "a link behind its text, like \"Read more=https://status.example.com\", or none")
	flags.BoolVar(&f.warning, "banner-warning", false, "make it a warning")
	choices(cmd, "font", append([]string{"system"}, portal.Fonts...)...)
}

// faceNames are the flags as the error of a command names them that was given
// none.
const faceNames = "--accent, --font, --logo, --icon, --header-link, --footer-link, --banner"

// changes are what the flags say, with the pictures read.
func (f *faceFlags) changes(cmd *cobra.Command) (app.FaceChanges, error) {
	c := app.FaceChanges{
		Font:   given(cmd, "font", f.font),
		Banner: given(cmd, "banner", f.banner), BannerFrom: given(cmd, "banner-from", f.bannerFrom), BannerUntil: given(cmd, "banner-until", f.bannerUntil),
		BannerLink: given(cmd, "banner-link", f.link), BannerWarning: given(cmd, "banner-warning", f.warning),
		HeaderLinks: given(cmd, "header-link", f.header), FooterLinks: given(cmd, "footer-link", f.footer),
	}
	for _, p := range []struct {
		flag, path string
		into       **[]byte
	}{{"logo", f.logo, &c.Logo}, {"logo-dark", f.logoDark, &c.LogoDark}, {"icon", f.icon, &c.Icon}} {
		if !cmd.Flags().Changed(p.flag) {
			continue
		}
		data, err := readPictureFile(p.flag, p.path)
		if err != nil {
			return c, err
		}
		*p.into = &data
	}
	return c, nil
}

// readPictureFile reads a picture; none has no bytes.
func readPictureFile(flag, path string) ([]byte, error) {
	switch strings.TrimSpace(path) {
	case "none":
		return []byte{}, nil
	case "":
		return nil, portal.Invalidf("picture.file", flag, "--%s names no file", flag).WithHint("name a picture file, or none to take it away")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, portal.Invalidf("picture.file", flag, "cannot read the picture for --%s: %v", flag, err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, app.MaxPicture+1))
	if err != nil {
		return nil, portal.Invalidf("picture.file", flag, "cannot read the picture for --%s: %v", flag, err)
	}
	if len(data) == 0 {
		return nil, portal.Invalidf("picture.file", flag, "the file %s is empty", path)
	}
	return data, nil
}

// sayFace tells what became of pictures, and what is shown in their place.
func (e *Env) sayFace(c *app.PortalChanges, r *app.PortalResult) {
	b := &r.Portal.Brand
	if c.Accent != nil {
		e.sayContrast(r.Portal.Accent)
	}
	if len(r.Face.Removed) > 0 {
		e.say("left out of the SVG: %s", strings.Join(r.Face.Removed, "; "))
	}
	if c.Logo != nil || c.LogoDark != nil {
		e.sayGrounds(b)
		if b.Logo() != nil && b.Image(portal.ImageMail) == nil {
			why := "even small it has more than 30 KB"
			if r.Face.Inexact {
				why = "text, masks and filters cannot be drawn here"
			}
			e.say("mails carry the portal's name without the logo: %s", why)
		}
	}
	if r.Face.IconMade {
		switch r.Face.IconFrom {
		case portal.IconFromLogo:
			e.say("the icon of browser tabs is made from the logo; --icon gives another one")
		case portal.IconFromInitial:
			e.say("the logo has no part that could be an icon, so that is the first letter of the name; --icon gives another one")
		}
	}
	if banner := b.Banner; banner != nil && c.Banner != nil && !banner.EndsAt.IsZero() && !banner.EndsAt.After(e.now()) {
		e.say("the banner has ended already, so nobody sees it")
	}
}

// sayGrounds tells where a logo gets a ground of its own.
func (e *Env) sayGrounds(b *portal.Brand) {
	light, dark := b.Logo(), b.Image(portal.ImageLogoDark)
	if light == nil {
		return
	}
	if light.LostOnLight {
		e.say("little of the logo can be seen on light pages, so it stands on a dark ground there")
	}
	if dark == nil && light.LostOnDark {
		e.say("little of the logo can be seen on dark pages, so it stands on a light ground there; --logo-dark gives another one")
	}
	if dark != nil && dark.LostOnDark {
		e.say("little of the logo for dark pages can be seen there, so it stands on a light ground")
	}
}

// sayContrast tells where an accent is too close to the colours around it, and
// what pages use in its place.
func (e *Env) sayContrast(accent string) {
	theme := portal.NewTheme(accent)
	fine := true
	use := func(where, colour, ground, wanted string) {
		if colour == accent {
			return
		}
		fine = false
		e.say("%s has too little contrast %s (%s; %s is needed); there %s is used in its place (%s)",
			accent, where, ratio(accent, ground), wanted, colour, ratio(colour, ground))
	}
	use("behind the text of buttons", theme.Light.Fill, theme.Light.OnFill, "4.5:1")
	use("for links on light pages", theme.Light.Text, worse(accent, portal.LightPage, portal.LightSurface), "4.5:1")
	use("for links on dark pages", theme.Dark.Text, worse(accent, portal.DarkPage, portal.DarkSurface), "4.5:1")
	if fine {
		e.say("%s has enough contrast on light and dark pages", accent)
	}
	e.say("buttons: %s with %s text; links: %s on light pages, %s on dark ones", theme.Light.Fill, theme.Light.OnFill, theme.Light.Text, theme.Dark.Text)
}

// ratio writes the contrast of two colours, never better than it is.
func ratio(a, b string) string {
	return fmt.Sprintf("%.1f:1", float64(int(portal.Contrast(a, b)*10))/10)
}

// worse is the ground a colour is harder to read on.
func worse(colour, a, b string) string {
	if portal.Contrast(colour, a) < portal.Contrast(colour, b) {
		return a
	}
	return b
}

// faceColumns describe a portal's face; only JSON and CSV have them in lists.
var faceColumns = []output.Column{
	{Name: "font"},
	{Name: "logo"},
	{Name: "logo_dark"},
	{Name: "icon"},
	{Name: "header_links"},
	{Name: "footer_links"},
	{Name: "banner"},
}

// faceHeads are their headings on a portal's own sheet.
var faceHeads = []string{"Font", "Logo", "Logo, dark", "Icon", "Head links", "Foot links", "Banner"}

func faceRow(p *portal.Portal) []any {
	b := &p.Brand
	font := b.Font
	if font == "" {
		font = "system"
	}
	return []any{
		font,
		picturePart{b.Image(portal.ImageLogo), ""},
		picturePart{b.Image(portal.ImageLogoDark), ""},
		picturePart{b.Image(portal.ImageIconHome), b.IconFrom},
		linkParts(b.HeaderLinks), linkParts(b.FooterLinks),
		bannerPart{b.Banner, p.TimeZone},
	}
}

// picturePart is a picture: in words for people, its parts for scripts.
type picturePart struct {
	image *portal.BrandImage
	from  portal.IconSource // of icons
}

// String is the picture in words.
func (p picturePart) String() string {
	if p.image == nil {
		return ""
	}
	s := fmt.Sprintf("%s, %d by %d", p.image.Format(), p.image.Width, p.image.Height)
	switch p.from {
	case portal.IconFromLogo:
		return "made from the logo"
	case portal.IconFromInitial:
		return "the first letter of the name"
	}
	return s
}

// MarshalJSON is the picture for scripts; null where there is none.
func (p picturePart) MarshalJSON() ([]byte, error) {
	if p.image == nil {
		return []byte("null"), nil
	}
	return json.Marshal(struct {
		Type   string            `json:"type"`
		Width  int               `json:"width"`
		Height int               `json:"height"`
		SHA256 string            `json:"sha256"`
		From   portal.IconSource `json:"from,omitempty"`
	}{p.image.Type, p.image.Width, p.image.Height, p.image.SHA256, p.from})
}

// linkParts are links to places outside the portal.
type linkParts []portal.WebLink

// String is the links as flags take them.
func (l linkParts) String() string {
	words := make([]string, len(l))
	for i, link := range l {
		words[i] = link.Label + "=" + link.URL
	}
	return strings.Join(words, ", ")
}

// MarshalJSON is the links for scripts.
func (l linkParts) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]portal.WebLink{}, l...))
}

// bannerPart is an announcement, with the zone its times are told in.
type bannerPart struct {
	*portal.Banner
	zone string
}

// String is the banner in words.
func (b bannerPart) String() string {
	if b.Banner == nil {
		return ""
	}
	zone, err := time.LoadLocation(b.zone)
	if err != nil {
		zone = time.UTC
	}
	s := b.Text
	if b.Warning {
		s += " (a warning)"
	}
	if !b.StartsAt.IsZero() {
		s += ", from " + b.StartsAt.In(zone).Format("2006-01-02 15:04 MST")
	}
	if !b.EndsAt.IsZero() {
		s += ", until " + b.EndsAt.In(zone).Format("2006-01-02 15:04 MST")
	}
	if b.Link != nil {
		s += ", " + b.Link.Label + "=" + b.Link.URL
	}
	return s
}

// MarshalJSON is the banner for scripts; null where there is none.
func (b bannerPart) MarshalJSON() ([]byte, error) { return json.Marshal(b.Banner) }
