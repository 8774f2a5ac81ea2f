package incoming

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkParse reads an ordinary answer with its quote.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"gmail-reply", "outlook-desktop", "newsletter"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "mail", name+".eml"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(raw)
			}
		})
	}
}

// BenchmarkParse25MB reads mails as large as any that is taken, of each kind
// that could cost more than its size.
func BenchmarkParse25MB(b *testing.B) {
	const size = 25 << 20
	file := someHead + "Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	multipart := someHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	for _, kind := range []struct{ name, head, repeated string }{
		{"attachment", file, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("\x00\x9f\x5a"), 19)) + "\r\n"},
		{"text", someHead + "\r\n", "The quick brown fox jumps over the lazy dog.\r\n"},
		{"header", someHead, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"},
		{"boundaries", multipart, "--b\r\n"},
		{"nested", multipart, "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"},
		{"addresses", "From: a@example.com\r\nTo: x\r\n", " a@example.com,\r\n"},
		{"html", someHead + "Content-Type: text/html\r\n\r\n", `<p>Hello <a href="https://example.com/x">link</a> &amp; more</p>` + "\r\n"},
		{"quotes", someHead + "\r\n", "> > quoted\r\n"},
	} {
		raw := []byte(kind.head + strings.Repeat(kind.repeated, (size-len(kind.head))/len(kind.repeated)))
		b.Run(kind.name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			var peak uint64
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				Parse(raw)
				runtime.ReadMemStats(&after)
				peak = max(peak, after.TotalAlloc-before.TotalAlloc)
			}
			b.ReportMetric(float64(peak)/(1<<20), "MB-allocated")
		})
	}
}
