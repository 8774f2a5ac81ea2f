package prompt

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// TestHelpThatChangesByItself: what a question waits for shows without a key,
// and the question can be answered before and after.
func TestHelpThatChangesByItself(t *testing.T) {
	for name, accessible := range map[string]bool{"on a screen": false, "by line": true} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(t)
			var found atomic.Bool
			pick := "on"
			wait := start(t, func(ctx context.Context) error {
				return s.prompter(nil, accessible).Ask(ctx, Field{
					Title: "Add the record", Pick: &pick, Choices: []Choice{{Value: "on", Label: "Go on"}}, Every: 5 * time.Millisecond,
					Help: func() string {
						if found.Load() {
							return "it is found"
						}
						return "waiting for it"
					},
				})
			})
			s.waitFor("Add the record", "waiting for it", "Go on")
			found.Store(true)
			s.waitFor("it is found")
			s.press(enter)
			if err := wait(); err != nil || pick != "on" {
				t.Errorf("picked %q, %v; want on", pick, err)
			}
		})
	}
}
