package web

import "testing"

func TestLabelsWithinSentences(t *testing.T) {
	tests := []struct{ lang, label, want string }{
		{"en", "Ticket", "ticket"},
		{"en", "RMA", "RMA"},
		{"sv", "Ärende", "ärende"},
		{"de", "Anfrage", "Anfrage"},
		{"de-AT", "Anfrage", "Anfrage"},
		{"ar", "طلب", "طلب"},
	}
	for _, tt := range tests {
		if got := withinSentence(tt.lang, tt.label); got != tt.want {
			t.Errorf("%s: %q reads %q within a sentence, want %q", tt.lang, tt.label, got, tt.want)
		}
	}
}
