package portal

import (
	"sync"
	"time"
)

// Text is a sentence as an operator words it, by plural form; one without
// plurals is its form "other".
type Text = map[string]string

// PortalText is a sentence an operator has put in the place of ours.
type PortalText struct {
	Portal    PortalID
	Language  string // its code
	Key       string
	Text      Text
	UpdatedAt time.Time
}

// Texts are all such sentences of a portal, by language and key. They never
// change: who changes one makes new Texts.
type Texts struct {
	Entries map[string]map[string]Text
	made    sync.Map
}

// NewTexts gathers the sentences of a portal; nil when it has none.
func NewTexts(list []PortalText) *Texts {
	if len(list) == 0 {
		return nil
	}
	t := &Texts{Entries: map[string]map[string]Text{}}
	for _, one := range list {
		if t.Entries[one.Language] == nil {
			t.Entries[one.Language] = map[string]Text{}
		}
		t.Entries[one.Language][one.Key] = one.Text
	}
	return t
}

// Once makes what is needed of the texts again and again, such as a printer,
// and keeps it as long as they stand.
func (t *Texts) Once(name string, make func() any) any {
	if kept, ok := t.made.Load(name); ok {
		return kept
	}
	kept, _ := t.made.LoadOrStore(name, make())
	return kept
}
