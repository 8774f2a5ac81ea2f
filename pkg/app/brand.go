package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/picture"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// FaceChanges are what `portal set` changes of a portal's face; nil leaves a
// setting as it is.
type FaceChanges struct {
	// Pictures as files hold them; one without bytes is taken away.
	Logo, LogoDark, Icon *[]byte

	Font        *string
	HeaderLinks *[]string // LABEL=URL each, or the one word none
	FooterLinks *[]string

	Banner        *string // its text; "" or none takes it away
	BannerFrom    *string
	BannerUntil   *string
	BannerLink    *string // LABEL=URL, or none
	BannerWarning *bool
}

// FaceNotes is what the operator is told about pictures that were taken.
type FaceNotes struct {
	Removed  []string // what an SVG held that pages must not
	Inexact  bool     // the SVG logo cannot be drawn for icons and mail
	IconFrom portal.IconSource
	IconMade bool // anew, by this change
}

// MaxPicture is how many bytes the file of a picture may have.
const MaxPicture = picture.MaxBytes

// The most a logo weighs in a mail, and the place there is for it there.
const (
	mailLogoBytes  = 30 << 10
	mailLogoWidth  = 240
	mailLogoHeight = 56
)

// face is a portal's face being changed.
type face struct {
	p      *portal.Portal
	list   *changeList
	pics   map[portal.ImageKind]*picture.Picture // those that were given
	load   func(portal.ImageKind) (*store.Image, error)
	images []store.Image // new ones
	notes  FaceNotes
}

// pictureFlags name the pictures that flags give.
var pictureFlags = map[portal.ImageKind]string{portal.ImageLogo: "logo", portal.ImageLogoDark: "logo-dark", portal.ImageIcon: "icon"}

// read makes the pictures safe. That takes its time, so it comes before the
// transaction.
func (c *FaceChanges) read() (map[portal.ImageKind]*picture.Picture, error) {
	pics := map[portal.ImageKind]*picture.Picture{}
	for kind, data := range map[portal.ImageKind]*[]byte{portal.ImageLogo: c.Logo, portal.ImageLogoDark: c.LogoDark, portal.ImageIcon: c.Icon} {
		if data == nil || len(*data) == 0 {
			continue
		}
		flag := pictureFlags[kind]
		pic, err := picture.Read(*data)
		var bad *portal.Error
		if errors.As(err, &bad) {
			bad.Field, bad.Msg = flag, fmt.Sprintf("the picture for --%s cannot be used: %s", flag, bad.Msg)
		}
		if err != nil {
			return nil, err
		}
		pics[kind] = pic
	}
	return pics, nil
}

// apply changes a portal's face. It is called after its name, colour and time
// zone have changed, which the icons and times of the banner depend on; renamed
// says that the icons may have to be drawn again.
func (c *FaceChanges) apply(f *face, renamed bool) error {
	p, l := f.p, f.list
	// A copy, so that what others hold of the portal stays as it is.
	p.Brand.Images = slices.Clone(p.Brand.Images)
	if err := c.applyPictures(f, renamed); err != nil {
		return err
	}
	if c.Font != nil {
		font, err := portal.ParseFont(*c.Font)
		if err != nil {
			return err
		}
		if l.note("font", fontWord(p.Brand.Font), fontWord(font)) {
			p.Brand.Font = font
		}
	}
	for _, links := range []struct {
		flag string
		most int
		want *[]string
		into *[]portal.WebLink
	}{
		{"header-link", portal.MaxHeaderLinks, c.HeaderLinks, &p.Brand.HeaderLinks},
		{"footer-link", portal.MaxFooterLinks, c.FooterLinks, &p.Brand.FooterLinks},
	} {
		if links.want == nil {
			continue
		}
		list, err := portal.ParseWebLinks(links.flag, *links.want, links.most)
		if err != nil {
			return err
		}
		if l.note(links.flag, linkWords(*links.into), linkWords(list)) {
			*links.into = list
		}
	}
	return c.applyBanner(p, l)
}

func fontWord(font string) string {
	if font == "" {
		return "system"
	}
	return font
}

// linkWords are links as flags take them.
func linkWords(links []portal.WebLink) string {
	words := make([]string, len(links))
	for i, l := range links {
		words[i] = l.Label + "=" + l.URL
	}
	return strings.Join(words, ", ")
}

func (c *FaceChanges) applyPictures(f *face, renamed bool) error {
	b := &f.p.Brand
	before := hashIn(b.Logo())
	for kind, data := range map[portal.ImageKind]*[]byte{portal.ImageLogo: c.Logo, portal.ImageLogoDark: c.LogoDark} {
		if data != nil {
			f.setLogo(kind)
		}
	}
	changed := before != hashIn(b.Logo())
	if changed {
		if err := f.setMail(); err != nil {
			return err
		}
	}
	switch {
	case f.pics[portal.ImageIcon] != nil:
		return f.ownIcon(f.pics[portal.ImageIcon])
	case c.Icon != nil && b.IconFrom == portal.IconFromFile, changed && b.IconFrom != portal.IconFromFile:
		return f.makeIcon()
	case renamed && b.IconFrom == portal.IconFromInitial:
		return f.initialIcon()
	}
	return nil
}

// setLogo takes the logo that was given, or takes the one there is away.
func (f *face) setLogo(kind portal.ImageKind) {
	flag, pic, before := pictureFlags[kind], f.pics[kind], f.p.Brand.Image(kind)
	if pic == nil {
		if before != nil {
			f.list.note(flag, pictureWord(before), "")
			f.drop(kind)
		}
		return
	}
	f.tell(pic)
	if hashIn(before) == hashOf(pic.Data) {
		return
	}
	was := ""
	if before != nil {
		was = pictureWord(before)
	}
	f.keep(imageOf(kind, pic), pic.Data)
	f.list.note(flag, was, pictureWord(f.p.Brand.Image(kind)))
}

// tell notes what a picture lost.
func (f *face) tell(pic *picture.Picture) {
	for _, what := range pic.Removed {
		if !slices.Contains(f.notes.Removed, what) {
			f.notes.Removed = append(f.notes.Removed, what)
		}
	}
	f.notes.Inexact = f.notes.Inexact || !pic.Exact
}

func imageOf(kind portal.ImageKind, pic *picture.Picture) portal.BrandImage {
	return portal.BrandImage{
		Kind: kind, Type: pic.Type, Width: pic.Width, Height: pic.Height,
		LostOnLight: !readableOn(pic, portal.LightSurface), LostOnDark: !readableOn(pic, portal.DarkSurface),
	}
}

func readableOn(pic *picture.Picture, ground string) bool {
	r, g, b, _ := portal.RGB(ground)
	return pic.ReadableOn(r, g, b)
}

// pictureWord tells of a picture in a line of changes.
func pictureWord(i *portal.BrandImage) string {
	return fmt.Sprintf("%s %dx%d (%s)", i.Format(), i.Width, i.Height, i.SHA256[:8])
}

func hashIn(i *portal.BrandImage) string {
	if i == nil {
		return ""
	}
	return i.SHA256
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// keep puts a picture in the place of the one of its kind.
func (f *face) keep(i portal.BrandImage, data []byte) {
	i.SHA256 = hashOf(data)
	f.drop(i.Kind)
	f.p.Brand.Images = append(f.p.Brand.Images, i)
	slices.SortFunc(f.p.Brand.Images, func(a, b portal.BrandImage) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	f.images = append(f.images, store.Image{Kind: i.Kind, SHA256: i.SHA256, Type: i.Type, Data: data})
}

func (f *face) drop(kinds ...portal.ImageKind) {
	f.p.Brand.Images = slices.DeleteFunc(f.p.Brand.Images, func(i portal.BrandImage) bool { return slices.Contains(kinds, i.Kind) })
	f.images = slices.DeleteFunc(f.images, func(i store.Image) bool { return slices.Contains(kinds, i.Kind) })
}

// logo is the portal's logo as a picture, which the store may hold already; nil
// when there is none.
func (f *face) logo() (*picture.Picture, error) {
	i := f.p.Brand.Logo()
	if i == nil {
		return nil, nil
	}
	if pic := f.pics[i.Kind]; pic != nil {
		return pic, nil
	}
	kept, err := f.load(i.Kind)
	if err != nil {
		return nil, err
	}
	pic, err := picture.Read(kept.Data)
	if err != nil {
		return nil, err
	}
	f.pics[i.Kind] = pic
	return pic, nil
}

// setMail makes the logo for mails.
func (f *face) setMail() error {
	f.drop(portal.ImageMail)
	pic, err := f.logo()
	if err != nil || pic == nil {
		return err
	}
	if data, w, h := pic.Mail(mailLogoBytes, mailLogoWidth, mailLogoHeight); data != nil {
		i := imageOf(portal.ImageMail, pic)
		i.Type, i.Width, i.Height = picture.PNG, w, h
		f.keep(i, data)
	}
	return nil
}

// ownIcon takes an icon of its own.
func (f *face) ownIcon(pic *picture.Picture) error {
	f.tell(pic)
	icon, err := pic.Icon()
	if err != nil {
		return err
	}
	if icon == nil {
		bad := portal.Invalidf("picture.inexact", "icon", "the SVG for --icon holds text, masks or filters, which cannot be drawn here")
		return bad.WithHint("convert its text to paths, or export it as PNG")
	}
	return f.setIcon(icon, portal.IconFromFile)
}

// makeIcon makes the icons from the logo: all of it or the sign at its left,
// else from the first letter of the portal's name.
func (f *face) makeIcon() error {
	pic, err := f.logo()
	if err != nil {
		return err
	}
	if pic == nil {
		return f.setIcon(nil, "")
	}
	icon, err := pic.Symbol()
	if err != nil {
		return err
	}
	if icon == nil {
		return f.initialIcon()
	}
	return f.setIcon(icon, portal.IconFromLogo)
}

func (f *face) initialIcon() error {
	theme := portal.NewTheme(f.p.Accent)
	icon, err := picture.Initial(f.p.Name, theme.Light.Fill, theme.Light.OnFill)
	if err != nil {
		return err
	}
	if icon == nil {
		return f.setIcon(nil, "")
	}
	return f.setIcon(icon, portal.IconFromInitial)
}

// setIcon takes icons in the place of those there are; nil takes them away.
func (f *face) setIcon(icon *picture.Icon, from portal.IconSource) error {
	b := &f.p.Brand
	was := iconWord(b)
	f.drop(portal.ImageIcon, portal.ImageIconTab, portal.ImageIconHome)
	b.IconFrom = from
	if icon != nil {
		if icon.SVG != nil {
			f.keep(portal.BrandImage{Kind: portal.ImageIcon, Type: picture.SVG, Width: picture.TabIcon, Height: picture.TabIcon}, icon.SVG)
		}
		f.keep(portal.BrandImage{Kind: portal.ImageIconTab, Type: picture.PNG, Width: picture.TabIcon, Height: picture.TabIcon}, icon.Tab)
		f.keep(portal.BrandImage{Kind: portal.ImageIconHome, Type: picture.PNG, Width: picture.HomeIcon, Height: picture.HomeIcon}, icon.Home)
	}
	if f.list.note("icon", was, iconWord(b)) {
		f.notes.IconMade, f.notes.IconFrom = true, from
	}
	return nil
}

// iconWord tells of the icons in a line of changes.
func iconWord(b *portal.Brand) string {
	if i := b.Image(portal.ImageIconHome); i != nil {
		return fmt.Sprintf("%s (%s)", b.IconFrom, i.SHA256[:8])
	}
	return ""
}

// applyBanner changes the announcement. Its text alone makes a new one; the
// other flags change the one there is.
func (c *FaceChanges) applyBanner(p *portal.Portal, l *changeList) error {
	if c.Banner == nil && c.BannerFrom == nil && c.BannerUntil == nil && c.BannerLink == nil && c.BannerWarning == nil {
		return nil
	}
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	was := bannerWord(p.Brand.Banner, zone)
	b := portal.Banner{}
	if p.Brand.Banner != nil {
		b = *p.Brand.Banner
	}
	if c.Banner != nil {
		text, err := portal.ParseBannerText(*c.Banner)
		if err != nil {
			return err
		}
		if strings.EqualFold(text, "none") {
			text = ""
		}
		if text == "" && (c.BannerFrom != nil || c.BannerUntil != nil || c.BannerLink != nil || c.BannerWarning != nil) {
			return portal.Invalidf("portal.banner", "banner", "a banner without a text has no time or link either")
		}
		if text != b.Text {
			b = portal.Banner{Text: text}
		}
	}
	if b.Text == "" {
		if c.Banner == nil {
			return portal.Invalidf("portal.banner", "banner", "there is no banner yet").WithHint("give its text with --banner")
		}
		if l.note("banner", was, "") {
			p.Brand.Banner = nil
		}
		return nil
	}
	for _, at := range []struct {
		flag string
		want *string
		into *time.Time
	}{{"banner-from", c.BannerFrom, &b.StartsAt}, {"banner-until", c.BannerUntil, &b.EndsAt}} {
		if at.want == nil {
			continue
		}
		if *at.into, err = portal.ParseBannerTime(at.flag, *at.want, zone); err != nil {
			return err
		}
	}
	if !b.EndsAt.IsZero() && !b.EndsAt.After(b.StartsAt) {
		return portal.Invalidf("portal.banner_time", "banner-until", "the banner would end at %s, before it begins at %s", bannerTime(b.EndsAt, zone), bannerTime(b.StartsAt, zone))
	}
	if c.BannerLink != nil {
		b.Link = nil
		if link := strings.TrimSpace(*c.BannerLink); link != "" && !strings.EqualFold(link, "none") {
			parsed, err := portal.ParseWebLink("banner-link", link)
			if err != nil {
				return err
			}
			b.Link = &parsed
		}
	}
	if c.BannerWarning != nil {
		b.Warning = *c.BannerWarning
	}
	if l.note("banner", was, bannerWord(&b, zone)) {
		p.Brand.Banner = &b
	}
	return nil
}

// bannerWord tells of a banner in a line of changes.
func bannerWord(b *portal.Banner, zone *time.Location) string {
	if b == nil {
		return ""
	}
	word := fmt.Sprintf("%q", b.Text)
	if b.Warning {
		word += ", warning"
	}
	for _, at := range []struct {
		word string
		time time.Time
	}{{"from", b.StartsAt}, {"until", b.EndsAt}} {
		if !at.time.IsZero() {
			word += ", " + at.word + " " + bannerTime(at.time, zone)
		}
	}
	if b.Link != nil {
		word += ", " + linkWords([]portal.WebLink{*b.Link})
	}
	return word
}

func bannerTime(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// Picture returns a picture of a portal's face by the hash of its bytes. Whoever
// knows the hash has seen a page that shows it; NotFound portal.no_image.
func (a *App) Picture(ctx context.Context, sha256 string) (i *store.Image, err error) {
	if a.preview != nil {
		if i, ok := a.preview.images[sha256]; ok {
			return &i, nil
		}
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		i, err = tx.Image(ctx, sha256)
		return err
	})
	return i, err
}

// PortalAt is the portal a host is known by: the one at its bare address, else
// the only one there. Nil when there is none, or several; a host nobody serves is
// NotFound host.unknown.
func (a *App) PortalAt(ctx context.Context, host string) (*portal.Portal, error) {
	set := a.settings.Load()
	if set == nil {
		var err error
		if set, err = a.loadSettings(ctx); err != nil {
			return nil, err
		}
	}
	h := set.byHost[hostOnly(host)]
	if h == nil {
		return nil, portal.NotFoundf("host.unknown", "%q is not served here", host)
	}
	if at, ok := h.places[""]; ok && at.portal.State != portal.Draft {
		return at.portal, nil
	}
	return h.only, nil
}
