package source

import (
	"cmp"
	"slices"
)

// Status is how fetching goes, by name of the inboxes.
func (f *Fetcher) Status() []Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Status, 0, len(f.running))
	for _, w := range f.running {
		list = append(list, w.reader.status.get())
	}
	slices.SortFunc(list, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Inbox, b.Inbox))
	})
	return list
}
