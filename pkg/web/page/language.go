package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

const (
	// languageCookie holds the language a visitor chose before they signed in.
	// It says nothing else of them.
	languageCookie = "portalctl-lang"
	// LanguageQuery is the parameter of an address that chooses a language.
	LanguageQuery = "lang"
)

// Wanted finds out which of the languages a portal offers somebody wants who
// has no account here, or none with a language: the one the address asks for,
// which is kept for the next pages, else one asked for earlier, else the one
// the browser likes best. "" means none of them.
func Wanted(w http.ResponseWriter, r *http.Request, v *app.Visit) string {
	desk := v.Portal.IsDesk()
	if len(v.Portal.Languages) == 0 && !desk || v.OwnLanguage() != "" {
		return ""
	}
	offered := i18n.Codes()
	if !desk {
		offered = v.Portal.Offers()
	}
	if IsRead(r) && strings.Contains(r.URL.RawQuery, LanguageQuery+"=") {
		if code := offeredCode(offered, r.URL.Query().Get(LanguageQuery)); code != "" {
			if Kept(r, languageCookie) != code {
				Keep(w, r, languageCookie, code, 365*24*time.Hour)
			}
			return code
		}
	}
	if code := offeredCode(offered, Kept(r, languageCookie)); code != "" {
		return code
	}
	tag, _ := i18n.Pick(r.Header.Get("Accept-Language"), offered...)
	return tag
}

func offeredCode(offered []string, code string) string {
	for _, known := range offered {
		if known == code {
			return known
		}
	}
	return ""
}

// Greet finds out in which language, and by which country's clock and
// calendar, a visit's pages are to be.
func Greet(w http.ResponseWriter, r *http.Request, v *app.Visit) {
	v.Wanted = Wanted(w, r, v)
	v.Locale = i18n.Locale(v.Language(), r.Header.Get("Accept-Language"), v.Portal.Language())
}

// PrinterOf is the one a visit's pages are printed with.
func PrinterOf(v *app.Visit) *i18n.Printer {
	if v.Locale == "" {
		return worded(v.Portal, i18n.For(v.Language()))
	}
	return worded(v.Portal, i18n.For(v.Locale))
}

// worded is the printer with the portal's own sentences. It is made once for
// as long as they stand: a change brings other Texts.
func worded(of *portal.Portal, p *i18n.Printer) *i18n.Printer {
	if of.Texts == nil || of.Texts.Entries[p.Lang()] == nil {
		return p
	}
	return of.Texts.Once(p.Tag(), func() any { return p.With(of.Texts.Entries[p.Lang()]) }).(*i18n.Printer)
}

// Printer is PrinterOf for a page, whose head then says which language it is
// in: the visitor's, or another one if the portal offers that. The visit is
// nil on an error before the portal is known.
func Printer(w http.ResponseWriter, r *http.Request, v *app.Visit, language string) *i18n.Printer {
	var p *i18n.Printer
	switch accept := r.Header.Get("Accept-Language"); {
	case v == nil:
		tag, _ := i18n.Pick(accept)
		p = i18n.For(tag)
	case language != "" && v.Portal.Speaks(language):
		p = worded(v.Portal, i18n.For(i18n.Locale(language, accept, v.Portal.Language())))
	default:
		p = PrinterOf(v)
	}
	h := w.Header()
	h.Set("Content-Language", p.Tag())
	// The browser's languages decide about words or, through the country, the
	// clock; the cookies about who reads.
	h.Set("Vary", "Accept-Encoding, Accept-Language, Cookie")
	return p
}

// Tongue is a language a page can be read in.
type Tongue struct {
	Code, Name, Dir string
	URL             templ.SafeURL // of the page in it, on this host
	Here            bool          // the page is in it
}

// Tongues are the languages of a portal's page, for the menu in its foot; none
// when there is one alone. path, escaped, and query are what the browser asks
// for again.
func Tongues(v *app.Visit, shown *i18n.Printer, path string, query url.Values) []Tongue {
	codes := v.Portal.Offers()
	if v.Portal.IsDesk() {
		codes = i18n.Codes()
	}
	if len(codes) < 2 {
		return nil
	}
	var list []Tongue
	for _, l := range i18n.Languages() {
		if !slices.Contains(codes, l.Code) {
			continue
		}
		q := url.Values{}
		for name, values := range query {
			q[name] = values
		}
		q.Set(LanguageQuery, l.Code)
		list = append(list, Tongue{
			Code: l.Code, Name: l.Name, Dir: l.Dir,
			URL:  templ.SafeURL(path + "?" + q.Encode()),
			Here: l.Code == shown.Lang(),
		})
	}
	return list
}

// Alternate is the address of a page in a language, as search engines and
// browsers' own translators look for it; "x-default" is the address alone.
type Alternate struct{ Lang, URL string }

// Alternates are the addresses of a page everybody can open in each of its
// languages. url is its address without a query.
func Alternates(list []Tongue, url string) []Alternate {
	if len(list) == 0 {
		return nil
	}
	all := []Alternate{{"x-default", url}}
	for _, t := range list {
		all = append(all, Alternate{t.Code, url + "?" + LanguageQuery + "=" + t.Code})
	}
	return all
}
