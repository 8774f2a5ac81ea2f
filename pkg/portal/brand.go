package portal

import "time"

// Brand is the face of a portal beside its name and accent colour.
type Brand struct {
	Font        string       `json:"font,omitempty"` // one of the fonts shipped; "": the system's
	Images      []BrandImage `json:"images,omitempty"`
	HeaderLinks []WebLink    `json:"header_links,omitempty"`
	FooterLinks []WebLink    `json:"footer_links,omitempty"`
	Banner      *Banner      `json:"banner,omitempty"` // replaced, never changed in place
	// IconFrom says what the icons are made from; "" when there are none, and
	// the product's mark in the accent colour stands for them.
	IconFrom IconSource `json:"icon_from,omitempty"`
}

// IconSource says what a portal's icons are made from.
type IconSource string

// The sources of icons.
const (
	IconFromFile    IconSource = "file"    // one of its own
	IconFromLogo    IconSource = "logo"    // the logo, or the sign at its left
	IconFromInitial IconSource = "initial" // the first letter of the portal's name
)

// ImageKind says what a picture is for.
type ImageKind string

// The kinds of picture.
const (
	ImageLogo     ImageKind = "logo"
	ImageLogoDark ImageKind = "logo_dark"
	ImageIcon     ImageKind = "icon"      // as SVG, where there is one
	ImageIconTab  ImageKind = "icon_tab"  // as PNG, for a browser's tab
	ImageIconHome ImageKind = "icon_home" // as PNG, for the home screen of a phone
	ImageMail     ImageKind = "mail"      // the logo as PNG, in the size mails show it
)

// BrandImage names a picture the store keeps.
type BrandImage struct {
	Kind   ImageKind `json:"kind"`
	SHA256 string    `json:"sha256"` // of its bytes, in hex
	Type   string    `json:"type"`   // its media type
	Width  int       `json:"width"`  // in pixels, or SVG units
	Height int       `json:"height"`
	// LostOnLight and LostOnDark are set when little of a logo can be seen on
	// light or dark pages, so that it gets a ground of its own there.
	LostOnLight bool `json:"lost_on_light,omitempty"`
	LostOnDark  bool `json:"lost_on_dark,omitempty"`
}

// Image returns the picture of a kind; nil when there is none.
func (b *Brand) Image(kind ImageKind) *BrandImage {
	for i := range b.Images {
		if b.Images[i].Kind == kind {
			return &b.Images[i]
		}
	}
	return nil
}

// Logo is the logo in light pages: where there is none for them, the one for
// dark pages stands there, too. Nil when there is neither.
func (b *Brand) Logo() *BrandImage {
	if i := b.Image(ImageLogo); i != nil {
		return i
	}
	return b.Image(ImageLogoDark)
}

// Format is the kind of file a picture is: SVG or PNG.
func (i *BrandImage) Format() string {
	if i.Type == "image/svg+xml" {
		return "SVG"
	}
	return "PNG"
}

// WebLink is a place outside the portal.
type WebLink struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// Banner is an announcement above every page while it lasts.
type Banner struct {
	Text     string    `json:"text"`
	Warning  bool      `json:"warning,omitempty"`
	Link     *WebLink  `json:"link,omitempty"`
	StartsAt time.Time `json:"starts_at,omitzero"` // zero: at once
	EndsAt   time.Time `json:"ends_at,omitzero"`   // zero: until it is taken away
}

// Shown reports whether the banner is to be seen now.
func (b *Banner) Shown(now time.Time) bool {
	return b != nil && !now.Before(b.StartsAt) && (b.EndsAt.IsZero() || now.Before(b.EndsAt))
}
