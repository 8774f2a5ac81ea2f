package auth

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSealed says that what was sealed cannot be opened: another key sealed it,
// it was sealed for something else, or it was changed.
var ErrSealed = errors.New("the secret cannot be opened with this key")

// Sealer keeps secrets that the program needs again in the clear, such as an
// identity provider's client secret, unreadable to whoever gets hold of the
// store alone: the key lies in a file of its own. Seal makes the file when
// there is none; it is safe for concurrent use, also by several processes.
type Sealer struct {
	path string

	mu   sync.Mutex
	aead cipher.AEAD
	mac  []byte // the key of marks
}

// NewSealer returns a Sealer with the key in a file, which is first read when
// it is needed.
func NewSealer(path string) *Sealer { return &Sealer{path: path} }

// Path is the key file.
func (s *Sealer) Path() string { return s.path }

// Seal encrypts and authenticates a secret with XChaCha20-Poly1305 (RFC 8439
// with the extended nonce). purpose names what and whose it is; Open must name
// the same, so that one sealed text cannot be passed off for another.
func (s *Sealer) Seal(purpose string, secret []byte) ([]byte, error) {
	aead, err := s.key(true)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(secret)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, secret, []byte(purpose)), nil
}

// Open returns what Seal sealed for the purpose, or ErrSealed.
func (s *Sealer) Open(purpose string, sealed []byte) ([]byte, error) {
	aead, err := s.key(false)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, ErrSealed
	}
	nonce, text := sealed[:aead.NonceSize()], sealed[aead.NonceSize():]
	secret, err := aead.Open(nil, nonce, text, []byte(purpose))
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// Mark returns what stands for data where data itself must not be kept: the
// same each time, and of no use to whoever has the store without the key file,
// who could otherwise try all likely values. It makes the key when there is
// none.
func (s *Sealer) Mark(purpose string, data []byte) ([]byte, error) {
	if _, err := s.key(true); err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, s.mac)
	// No purpose holds a NUL, so that no two pairs read the same.
	h.Write([]byte(purpose + "\x00"))
	h.Write(data)
	return h.Sum(nil), nil
}

func (s *Sealer) key(create bool) (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.aead, nil
	}
	key, err := readKey(s.path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err := makeKey(s.path); err != nil {
			return nil, fmt.Errorf("make the key file %s: %w", s.path, err)
		}
		key, err = readKey(s.path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key file %s: %w", s.path, err)
	}
	if s.mac, err = hkdf.Key(sha256.New, key, nil, "portalctl marks", sha256.Size); err != nil {
		return nil, fmt.Errorf("derive from the key file %s: %w", s.path, err)
	}
	s.aead, err = chacha20poly1305.NewX(key)
	return s.aead, err
}

// readKey reads a key: 64 hexadecimal digits on a line.
func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("it holds no key of %d hexadecimal digits", 2*chacha20poly1305.KeySize)
	}
	return key, nil
}

// makeKey writes a new key beside its name, synced, and then links it there:
// a link fails where a file is already, so that of two processes one wins and
// no key in use is ever overwritten.
func makeKey(path string) error {
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key)
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name in a folder durable. Where folders cannot be synced
// (Windows) the file system does that by itself.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
