package page

import (
	"bytes"
	"sync"
)

// buffers keeps buffers of the size pages have.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 32<<10)) }}

// largestKept is the largest buffer that is used again; one that had to grow
// for an unusual page is left to the collector.
const largestKept = 256 << 10

// Buffer lends an empty buffer to render a page into, so that a page that
// fails is an error page and not half a page.
func Buffer() *bytes.Buffer {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

// Release takes back what Buffer lent.
func Release(b *bytes.Buffer) {
	if b.Cap() <= largestKept {
		buffers.Put(b)
	}
}
