package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// ErrBusy says that so many passwords are waiting to be hashed that one more
// would not be answered in a bearable time. The caller may try again later.
var ErrBusy = errors.New("too many passwords are being checked")

// errHashFormat is what Verify returns, wrapped, for a stored hash it did not
// write: the store was damaged or edited, which is not a wrong password.
var errHashFormat = errors.New("not an argon2id hash")

// The cost of one hash. 19 MiB twice is the lower end of what OWASP advises;
// it takes about as much processor time as 260 ticket lists, which is why a
// Hasher bounds how many run at once.
const (
	hashTime    = 2
	hashMemory  = 19 * 1024 // KiB
	hashThreads = 1
	hashLength  = 32
	saltLength  = 16
)

// queuePerSlot is how many callers may wait for each hash that may run: at
// 25 ms a hash the last one waits less than three seconds.
const queuePerSlot = 100

// Hasher hashes and verifies passwords, a few at a time, so that a burst of
// sign-ins can take neither all memory nor all processors. It is safe for
// concurrent use; a process needs exactly one.
type Hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
	dummy   string
}

// NewHasher returns a Hasher that runs at most concurrency hashes at once, or
// one for each processor when concurrency is zero or less.
func NewHasher(concurrency int) *Hasher {
	if concurrency <= 0 {
		concurrency = runtime.GOMAXPROCS(0)
	}
	// The dummy needs no secret and no work: only its parameters count.
	dummy := params{hashMemory, hashTime, hashThreads}.format(make([]byte, saltLength), make([]byte, hashLength))
	return &Hasher{slots: make(chan struct{}, concurrency), dummy: dummy}
}

// Hash returns the argon2id hash of a password as a PHC string, which carries
// its own parameters and salt. The password is hashed whole, after NFC. It
// waits for a free slot until ctx ends, and fails with ErrBusy when the queue
// is full.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer h.release()

	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(rand.Reader, salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	p := params{hashMemory, hashTime, hashThreads}
	return p.format(salt, p.key(password, salt, hashLength)), nil
}

// Verify reports whether password belongs to hash, in a time that does not
// depend on how much of it is right. When rehash is true the password is right
// but its hash was made with other parameters than Hash uses now: store a new
// one. An error means that nothing was found out (ctx ended, ErrBusy, or a
// hash that is none), never that the password is wrong.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	p, salt, want, err := parseHash(hash)
	if err != nil {
		return false, false, fmt.Errorf("read the stored password hash: %w", err)
	}
	if err := h.acquire(ctx); err != nil {
		return false, false, err
	}
	defer h.release()

	got := p.key(password, salt, len(want))
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return false, false, nil
	}
	current := p == params{hashMemory, hashTime, hashThreads} && len(want) == hashLength && len(salt) == saltLength
	return true, !current, nil
}

// VerifyDummy does the work of Verify for an account that does not exist or
// has no password, so that time tells a stranger nothing. It fails only as
// Verify does: when ctx ends or the queue is full.
func (h *Hasher) VerifyDummy(ctx context.Context, password string) error {
	_, _, err := h.Verify(ctx, h.dummy, password)
	return err
}

func (h *Hasher) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > int64(cap(h.slots)*queuePerSlot) {
		return ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) release() { <-h.slots }

// params are the cost parameters of one hash, as in m=19456,t=2,p=1.
type params struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

func (p params) key(password string, salt []byte, length int) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.time, p.memory, p.threads, uint32(length)) // #nosec G115 -- at most 64
}

func (p params) format(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.memory, p.time, p.threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// parseHash reads what format writes. The limits keep a row that somebody
// edited from making one sign-in take all the memory there is.
func parseHash(s string) (p params, salt, key []byte, err error) {
	fields := strings.Split(s, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return p, nil, nil, errHashFormat
	}
	costs := strings.Split(fields[3], ",")
	if len(costs) != 3 {
		return p, nil, nil, errHashFormat
	}
	memory, okM := cost(costs[0], "m=", 8, 1<<20)
	time, okT := cost(costs[1], "t=", 1, 16)
	threads, okP := cost(costs[2], "p=", 1, 16)
	if !okM || !okT || !okP {
		return p, nil, nil, errHashFormat
	}
	b64 := base64.RawStdEncoding.Strict()
	if salt, err = b64.DecodeString(fields[4]); err != nil || len(salt) < 8 || len(salt) > 64 {
		return p, nil, nil, errHashFormat
	}
	if key, err = b64.DecodeString(fields[5]); err != nil || len(key) < 16 || len(key) > 64 {
		return p, nil, nil, errHashFormat
	}
	p = params{memory, time, uint8(threads)} // #nosec G115 -- at most 16
	// The decoder skips line breaks; format never writes them.
	if p.format(salt, key) != s {
		return p, nil, nil, errHashFormat
	}
	return p, salt, key, nil
}

func cost(s, name string, low, high uint32) (uint32, bool) {
	digits, found := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !found || err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return uint32(n), uint32(n) >= low && uint32(n) <= high
}
