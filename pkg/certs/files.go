package certs

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// readEvery is how often certificate files are read. What has changed is used
// once it has been the same for two looks in a row: until then somebody may be
// in the middle of writing it.
const readEvery = 5 * time.Second

// maxFile bounds a certificate file; chains take a few kilobytes.
const maxFile = 1 << 20

// Pair names a certificate with its chain and the key to it, as PEM files that
// somebody else renews. Either may be a symbolic link.
type Pair struct{ Cert, Key string }

// Files are certificates in files. The first is for visitors no other fits.
type Files struct {
	pairs []*filePair // one at least
	log   *slog.Logger
	now   func() time.Time
}

// filePair is one of them, as last read.
type filePair struct {
	Pair
	current atomic.Pointer[tls.Certificate]
	used    string // stands for what current was made of
	seen    string // at the last look
	refused string // what could not be used, and was told of
}

// ReadFiles reads certificates; it fails when one of them cannot be used.
func ReadFiles(pairs []Pair, log *slog.Logger, now func() time.Time) (*Files, error) {
	f := &Files{log: log, now: now}
	for _, pair := range pairs {
		p := &filePair{Pair: pair}
		content, err := p.read()
		if err != nil {
			return nil, err
		}
		made, err := content.certificate()
		if err != nil {
			return nil, fmt.Errorf("%s with %s: %w", pair.Cert, pair.Key, err)
		}
		p.current.Store(made)
		p.used, p.seen = content.stamp, content.stamp
		f.pairs = append(f.pairs, p)
	}
	return f, nil
}

// Certificate picks the certificate for a visitor: the first that covers the
// host asked for and fits what the visitor understands, else the first.
func (f *Files) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, p := range f.pairs {
		if c := p.current.Load(); len(f.pairs) == 1 || hello.SupportsCertificate(c) == nil {
			return c, nil
		}
	}
	return f.pairs[0].current.Load(), nil
}

// run looks for renewed certificates until ctx ends. Connections there are keep
// theirs. When what is used has changed, changed is called.
func (f *Files) run(ctx context.Context, changed func()) {
	ticker := time.NewTicker(readEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if f.look() {
			changed()
		}
	}
}

// look reads every file once and reports whether something new is used.
func (f *Files) look() bool {
	changed := false
	for _, p := range f.pairs {
		if f.lookAt(p) {
			changed = true
		}
	}
	return changed
}

func (f *Files) lookAt(p *filePair) bool {
	content, err := p.read()
	if err != nil {
		content.stamp = err.Error()
	}
	settled := content.stamp == p.seen
	p.seen = content.stamp
	if content.stamp == p.used || !settled || content.stamp == p.refused {
		return false
	}
	var made *tls.Certificate
	if err == nil {
		made, err = content.certificate()
	}
	if err == nil {
		err = f.worse(made, p.current.Load())
	}
	if err != nil {
		p.refused = content.stamp
		f.log.Error("the renewed certificate cannot be used; the one before stays", "certificate", p.Cert, "key", p.Key, "err", err)
		return false
	}
	p.current.Store(made)
	p.used, p.refused = content.stamp, ""
	f.log.Info("using the renewed certificate", "certificate", p.Cert, "not_after", made.Leaf.NotAfter)
	return true
}

// worse says why a certificate that is good now is not given up for another.
func (f *Files) worse(made, before *tls.Certificate) error {
	now := f.now()
	valid := func(c *tls.Certificate) bool { return !now.Before(c.Leaf.NotBefore) && now.Before(c.Leaf.NotAfter) }
	if valid(made) || !valid(before) {
		return nil
	}
	return fmt.Errorf("it is valid from %s to %s", made.Leaf.NotBefore.Format(time.DateTime), made.Leaf.NotAfter.Format(time.DateTime))
}

// content is what a pair's files hold.
type content struct {
	cert, key []byte
	stamp     string
}

// read reads both files. What they hold is compared and not their times: those
// of a link, of a copy that keeps them, or of two writes within a tick say
// nothing.
func (p Pair) read() (content, error) {
	var c content
	var err error
	if c.cert, err = readFile(p.Cert); err != nil {
		return content{}, err
	}
	if c.key, err = readFile(p.Key); err != nil {
		return content{}, err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d ", len(c.cert))
	sum.Write(c.cert)
	sum.Write(c.key)
	c.stamp = fmt.Sprintf("%x", sum.Sum(nil))
	return c, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("it is too large for a certificate")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// certificate checks that certificate and key belong together.
func (c content) certificate() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}
