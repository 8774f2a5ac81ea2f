package takeout

import (
	"archive/zip"
	"mime"
	"path"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
)

// longestName is how many bytes of a file's own name are kept: some systems
// take no longer paths, and the zip is unpacked into folders of any depth.
const longestName = 100

// filePath is where a file lies in the zip: a folder for its ticket, and its
// number before its name. No two are the same, none leads out of the folder,
// and none is one that a system keeps for itself.
func filePath(f *portal.File) string {
	return path.Join("files", f.Ticket.String(), strconv.FormatInt(int64(f.ID), 10)+"-"+safeName(f.Name))
}

// safeName is a name every system can keep, and that opens nothing which runs.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar || unicode.IsControl(r) || portal.IsBidiControl(r) || strings.ContainsRune(`<>:"/\|?*#%&`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '_'
		}
		return r
	}, strings.ToValidUTF8(norm.NFC.String(name), "_"))
	name = strings.Trim(name, " .")
	ext := path.Ext(name)
	if len(ext) > 12 {
		ext = ""
	}
	base := strings.TrimRight(shorten(strings.TrimSuffix(name, ext), longestName-len(ext)), " .")
	if base == "" {
		base = "file"
	}
	if runs[strings.ToLower(ext)] {
		// Opened from a folder, a page or a program would run with the rights
		// of whoever opens it.
		ext += ".txt"
	}
	return base + ext
}

// shorten cuts a text to n bytes, between two letters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// runs are the endings of files that do something when they are opened.
var runs = endings(`.html .htm .xhtml .xht .shtml .mht .mhtml .svg .svgz .xml .xsl .js .mjs .hta .htc .exe .com .bat .cmd .msi .msp .scr
	.pif .cpl .jar .jnlp .ps1 .psm1 .vbs .vbe .jse .wsf .wsh .lnk .url .website .desktop .reg .inf .scf .dll .sys .sh .command .app .apk
	.iso .img .vhd .chm .hlp .application .gadget .workflow .webloc .inetloc .fileloc .terminal .py .pl .rb .php .swf .docm .xlsm .pptm .dotm .xlam`)

func endings(list string) map[string]bool {
	all := map[string]bool{}
	for e := range strings.FieldsSeq(list) {
		all[e] = true
	}
	return all
}

// methodFor says whether compressing a file is worth the time.
func methodFor(kind string) uint16 {
	kind, _, _ = mime.ParseMediaType(kind)
	if strings.HasPrefix(kind, "text/") || kind == "application/octet-stream" || kind == "image/bmp" {
		return zip.Deflate
	}
	return zip.Store
}
