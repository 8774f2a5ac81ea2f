package web

import (
	"net/http"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// keptFace is a portal's face, worked out for one state of its settings.
type keptFace struct {
	of   *portal.Portal
	face *page.Face
}

// faceOf is how a portal looks. Settings that change are read as a new value,
// so the same value has the same face.
func (s *Server) faceOf(p *portal.Portal) *page.Face {
	if kept, ok := s.faces.Load(p.ID); ok {
		if k, ok := kept.(keptFace); ok && k.of == p {
			return k.face
		}
	}
	k := keptFace{p, page.NewFace(p)}
	s.faces.Store(p.ID, k)
	return k.face
}

// faceImage serves a picture of a portal's face.
func (s *Server) faceImage(w http.ResponseWriter, r *http.Request) {
	hash := page.ImageAsked(r)
	if hash == "" {
		s.fail(w, r, portal.NotFoundf("page.none", "there is no such page"))
		return
	}
	i, err := s.app.Picture(r.Context(), hash)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page.ServeImage(w, r, i.Type, i.Data)
}

// favicon answers programs that ask for an icon without reading a page: with
// that of a portal at the host.
func (s *Server) favicon(w http.ResponseWriter, r *http.Request) {
	p, err := s.app.PortalAt(r.Context(), page.InfoFrom(r.Context()).Host)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	to := page.FaviconURL(portal.DefaultAccent)
	if p != nil {
		to = s.faceOf(p).Icons[0].URL
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.Redirect(w, r, to, http.StatusFound)
}

// logo is the portal's logo; nil when it has none.
func (v *view) logo() *page.Logo {
	if v.face == nil {
		return nil
	}
	return v.face.Logo
}

func (v *view) headerLinks() []portal.WebLink {
	if v.face == nil {
		return nil
	}
	return v.face.Header
}

func (v *view) footerLinks() []portal.WebLink {
	if v.face == nil {
		return nil
	}
	return v.face.Footer
}

// hasBrand reports whether the page holds anything that brand.css is for.
func (v *view) hasBrand() bool {
	return v.notice != nil || v.logo() != nil || len(v.headerLinks())+len(v.footerLinks()) > 0
}
