package app

import (
	"fmt"
	"sync"
	"time"
)

// frames keeps what stands around an agent's pages for as long as nothing was
// written here, and for no longer than others' writing may go unseen.
type frames struct {
	mu   sync.Mutex
	kept map[string]keptFrame
}

type keptFrame struct {
	frame   *DeskFrame
	written uint64
	at      time.Time
}

// framesFor is how long a frame may be used again.
const framesFor = 2 * time.Second

// framesMost bounds what is kept.
const framesMost = 1000

// frameKey tells viewers apart who see different things.
func frameKey(v *Visit) string {
	return fmt.Sprint(v.Agent.ID, v.Viewer.Limited, v.Viewer.Inboxes)
}

func (f *frames) get(key string, written uint64, now time.Time) *DeskFrame {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.kept[key]
	if !ok || k.written != written || now.Sub(k.at) > framesFor || now.Before(k.at) {
		return nil
	}
	return k.frame
}

func (f *frames) put(key string, written uint64, now time.Time, frame *DeskFrame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil || len(f.kept) >= framesMost {
		f.kept = map[string]keptFrame{}
	}
	f.kept[key] = keptFrame{frame, written, now}
}
