package i18n

import (
	"testing"
	"time"
)

func BenchmarkPlainText(b *testing.B) {
	p := For("sv")
	b.ReportAllocs()
	for b.Loop() {
		p.T("status.waiting_on_us")
	}
}

func BenchmarkTextWithValue(b *testing.B) {
	p := For("sv")
	b.ReportAllocs()
	for b.Loop() {
		p.T("error.field.too_long", "Max", 200)
	}
}

func BenchmarkPlural(b *testing.B) {
	p := For("sv")
	b.ReportAllocs()
	for b.Loop() {
		p.N("duration.minutes", 17)
	}
}

func BenchmarkRelative(b *testing.B) {
	p, now := For("sv"), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		p.Relative(now, now.Add(-17*time.Minute))
	}
}

func BenchmarkDateTime(b *testing.B) {
	p, now := For("sv"), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		p.DateTime(now)
	}
}

// BenchmarkLoad reads every language; BenchmarkStart what a portal in one
// language beside English needs.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := newCatalog(locales); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		c, err := openCatalog(locales)
		if err != nil {
			b.Fatal(err)
		}
		c.printer("sv")
	}
}

func BenchmarkFor(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		For("en-US")
	}
}

func BenchmarkPick(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Pick("fr-CH, fr;q=0.9, en-GB;q=0.8, de;q=0.7, *;q=0.5", "en", "sv")
	}
}
