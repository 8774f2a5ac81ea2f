package portal

import "time"

// Brand is the face of a portal beside its name and accent colour.
type Brand struct {
	Font        string       `json:"font,omitempty"` // one of the fonts shipped; "": the system's
	Images      []BrandImage `json:"images,omitempty"`
	HeaderLinks []WebLink    `json:"header_links,omitempty"`
	FooterLinks []WebLink    `json:"footer_links,omitempty"`
	Banner      *Banner      `json:"banner,omitempty"` // replaced, never changed in place
}

// ImageKind says what a picture is for.
type ImageKind string

// The kinds of picture. Icons are made from the logo.
const (
	ImageLogo     ImageKind = "logo"
	ImageLogoDark ImageKind = "logo_dark"
	ImageIcon     ImageKind = "icon"
)

// BrandImage names a picture the store keeps.
type BrandImage struct {
	Kind   ImageKind `json:"kind"`
	SHA256 string    `json:"sha256"` // of its bytes, in hex
	Type   string    `json:"type"`   // its media type
	Width  int       `json:"width"`  // in pixels, or SVG units
	Height int       `json:"height"`
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
