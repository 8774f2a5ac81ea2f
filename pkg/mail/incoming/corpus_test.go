package incoming

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/portal"
)

// golden is what is expected of a mail in testdata. What is empty is left out,
// so that a file says what there is.
type golden struct {
	From       []portal.MailAddress `json:"from,omitempty"`
	ReplyTo    []portal.MailAddress `json:"reply_to,omitempty"`
	To         []portal.MailAddress `json:"to,omitempty"`
	CC         []portal.MailAddress `json:"cc,omitempty"`
	Delivered  []string             `json:"delivered,omitempty"`
	ReturnPath *string              `json:"return_path,omitempty"`
	Subject    string               `json:"subject,omitempty"`
	Date       string               `json:"date,omitempty"`
	MessageID  string               `json:"message_id,omitempty"`
	InReplyTo  []string             `json:"in_reply_to,omitempty"`
	References []string             `json:"references,omitempty"`
	Text       []string             `json:"text,omitempty"`
	Quoted     []string             `json:"quoted,omitempty"`
	Files      []goldenFile         `json:"files,omitempty"`
	Auto       portal.AutoMark      `json:"auto,omitempty"`
	Bounce     *portal.Bounce       `json:"bounce,omitempty"`
	Verdicts   []portal.MailVerdict `json:"verdicts,omitempty"`
	Problems   []string             `json:"problems,omitempty"`
}

type goldenFile struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Size      int    `json:"size"`
	Content   string `json:"content,omitempty"` // of short texts
	Inline    bool   `json:"inline,omitempty"`
	ContentID string `json:"content_id,omitempty"`
}

func goldenOf(m *portal.Incoming) golden {
	g := golden{
		From: m.From, ReplyTo: m.ReplyTo, To: m.To, CC: m.CC, Delivered: m.Delivered, Subject: m.Subject,
		MessageID: m.MessageID, InReplyTo: m.InReplyTo, References: m.References, Text: lines(m.Text), Quoted: lines(m.Quoted),
		Auto: m.Auto, Bounce: m.Bounce, Verdicts: m.Verdicts, Problems: m.Problems,
	}
	if m.HasReturnPath {
		g.ReturnPath = &m.ReturnPath
	}
	if !m.Date.IsZero() {
		g.Date = m.Date.Format(time.RFC3339)
	}
	for _, f := range m.Files {
		file := goldenFile{Name: f.Name, Type: f.Type, Size: len(f.Content), Inline: f.Inline, ContentID: f.ContentID}
		if len(f.Content) < 50 && printable(f.Content) {
			file.Content = string(f.Content)
		}
		g.Files = append(g.Files, file)
	}
	return g
}

// lines makes a diff of a long text readable.
func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func printable(content []byte) bool {
	return !bytes.ContainsFunc(content, func(r rune) bool { return r == '\ufffd' || r < ' ' && r != '\n' && r != '\r' && r != '\t' })
}

// TestParseCorpus reads mails written in the manner of real programs, and of
// those that get something wrong. UPDATE=1 writes the expectations anew.
func TestParseCorpus(t *testing.T) {
	mails, err := filepath.Glob(filepath.Join("testdata", "mail", "*.eml"))
	if err != nil || len(mails) < 200 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	for _, name := range mails {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before := bytes.Clone(raw)
			m := Parse(raw)
			checkIncoming(t, m)
			if !bytes.Equal(raw, before) {
				t.Error("the mail was changed while it was read")
			}
			got := goldenOf(m)
			file := strings.TrimSuffix(name, ".eml") + ".json"
			if os.Getenv("UPDATE") != "" {
				writeGolden(t, file, got)
				return
			}
			var want golden
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read otherwise than expected (-want +got):\n%s", diff)
			}
		})
	}
}

func writeGolden(t *testing.T, file string, g golden) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(g); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
