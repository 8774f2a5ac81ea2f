package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestChecksRunSideBySideAndWithinTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(d time.Duration, code string) Check {
			return Check{Area: "a", About: code, Look: func(context.Context) []portal.Finding {
				time.Sleep(d)
				return []portal.Finding{holds(code, code, "")}
			}}
		}
		checks := []Check{
			slow(4*time.Second, "first"), slow(3*time.Second, "second"), slow(time.Minute, "stuck"),
			{Area: "b", About: "broken", Look: func(context.Context) []portal.Finding { panic("a bug") }},
		}
		begun := time.Now()
		found, err := Examine(t.Context(), checks, 5*time.Second)
		if took := time.Since(begun); err != nil || took > 6*time.Second {
			t.Errorf("took %v, %v; want no more than the slowest may take", took, err)
		}
		var codes []string
		for _, f := range found {
			codes = append(codes, f.Code+" "+string(f.Severity))
		}
		want := []string{"first ok", "second ok", "a.time fail", "b.error fail"}
		if len(codes) != len(want) {
			t.Fatalf("found %q, want %q", codes, want)
		}
		for i := range want {
			if codes[i] != want[i] {
				t.Errorf("found %q, want %q", codes, want)
			}
		}
		if Passed(found, false) || !Passed(found[:2], true) || Passed([]Checked{{Finding: warns("", "", "", "", "")}}, true) || !Passed([]Checked{{Finding: warns("", "", "", "", "")}}, false) {
			t.Error("what passes does not follow what was found")
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun = time.Now()
		if _, err := Examine(ctx, checks, time.Hour); err == nil || time.Since(begun) > 2*time.Second {
			t.Errorf("when asked to end: %v after %v", err, time.Since(begun))
		}
		time.Sleep(2 * time.Minute) // what was left behind ends
	})
}

func TestSizesAreReadable(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1 KiB", 5 << 20: "5.0 MiB", 812 << 10: "812 KiB", 36 << 30: "36 GiB", 3 << 40: "3.0 TiB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}
