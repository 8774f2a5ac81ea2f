package page

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ShownType reports whether a file of this type is offered as a picture.
func ShownType(found string) bool {
	switch found {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return true
	}
	return false
}

// FileURL is the address of an attachment below the portal's.
func FileURL(f *portal.File) string {
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || unicode.IsControl(r) || portal.IsBidiControl(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(f.Name, "_"))
	if strings.Trim(name, ".") == "" {
		name = "file"
	}
	return "/files/" + strconv.FormatInt(int64(f.ID), 10) + "/" + url.PathEscape(name)
}
