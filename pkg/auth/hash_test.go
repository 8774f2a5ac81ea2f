package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

func TestHashVerifiesOnlyTheSamePassword(t *testing.T) {
	h := NewHasher(2)
	hash, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(hash, want) {
		t.Errorf("hash is %q, want it to start with %q", hash, want)
	}
	for password, want := range map[string]bool{
		"correct horse battery":  true,
		"correct horse batterx":  false,
		"correct horse battery ": false,
		"Correct horse battery":  false,
		"":                       false,
	} {
		ok, rehash, err := h.Verify(t.Context(), hash, password)
		if err != nil || ok != want || rehash {
			t.Errorf("Verify(%q) = %v, %v, %v; want %v, false, nil", password, ok, rehash, err, want)
		}
	}
	again, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if again == hash {
		t.Error("two hashes of one password are the same: the salt is not random")
	}
}

func TestHashIsTheSameForBothWaysToWriteAnAccent(t *testing.T) {
	h := NewHasher(1)
	hash, err := h.Hash(t.Context(), "smörgåsbord på bordet")
	if err != nil {
		t.Fatal(err)
	}
	ok, _, err := h.Verify(t.Context(), hash, "smo\u0308rga\u030asbord pa\u030a bordet")
	if err != nil || !ok {
		t.Errorf("the decomposed spelling gives %v, %v; want true, nil", ok, err)
	}
}

func TestHashTakesPasswordsWhole(t *testing.T) {
	h := NewHasher(1)
	long := strings.Repeat("a", 300)
	hash, err := h.Hash(t.Context(), long+"x")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := h.Verify(t.Context(), hash, long+"y"); err != nil || ok {
		t.Errorf("a password that differs in character 301 gives %v, %v; want false, nil", ok, err)
	}
}

func TestVerifyAsksForANewHashWhenParametersChanged(t *testing.T) {
	salt := []byte("0123456789abcdef")
	b64 := base64.RawStdEncoding
	old := "$argon2id$v=19$m=64,t=1,p=1$" + b64.EncodeToString(salt) + "$" +
		b64.EncodeToString(argon2.IDKey([]byte("old password here"), salt, 1, 64, 1, 32))
	h := NewHasher(1)
	if ok, rehash, err := h.Verify(t.Context(), old, "old password here"); !ok || !rehash || err != nil {
		t.Errorf("Verify = %v, %v, %v; want true, true, nil", ok, rehash, err)
	}
	if ok, rehash, err := h.Verify(t.Context(), old, "wrong password"); ok || rehash || err != nil {
		t.Errorf("Verify with a wrong password = %v, %v, %v; want false, false, nil", ok, rehash, err)
	}
}

func TestVerifyRefusesHashesItDidNotWrite(t *testing.T) {
	h := NewHasher(1)
	good, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{
		"empty":               "",
		"another function":    strings.Replace(good, "argon2id", "argon2i", 1),
		"another version":     strings.Replace(good, "v=19", "v=16", 1),
		"memory without end":  strings.Replace(good, "m=19456", "m=4294967295", 1),
		"memory past 32 bits": strings.Replace(good, "m=19456", "m=99999999999", 1),
		"no passes":           strings.Replace(good, "t=2", "t=0", 1),
		"no threads":          strings.Replace(good, "p=1", "p=0", 1),
		"a number padded":     strings.Replace(good, "t=2", "t=02", 1),
		"cut short":           good[:len(good)-24],
		"padded":              good + "=",
		"one field more":      good + "$",
	} {
		if ok, _, err := h.Verify(t.Context(), hash, "x"); ok || !errors.Is(err, errHashFormat) {
			t.Errorf("%s: Verify = %v, %v; want false and %v", name, ok, err, errHashFormat)
		}
	}
}

func TestVerifyDummyCostsWhatVerifyCosts(t *testing.T) {
	h := NewHasher(1)
	p, salt, key, err := parseHash(h.dummy)
	if err != nil {
		t.Fatal(err)
	}
	real, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	wantP, wantSalt, wantKey, err := parseHash(real)
	if err != nil {
		t.Fatal(err)
	}
	if p != wantP || len(salt) != len(wantSalt) || len(key) != len(wantKey) {
		t.Errorf("the dummy has %+v, %d, %d; a real hash %+v, %d, %d", p, len(salt), len(key), wantP, len(wantSalt), len(wantKey))
	}
	if err := h.VerifyDummy(t.Context(), "anything"); err != nil {
		t.Errorf("VerifyDummy = %v, want nil", err)
	}
}

func TestHasherWaitsForASlotAndGivesUpWithTheContext(t *testing.T) {
	h := NewHasher(1)
	h.slots <- struct{}{} // a hash that never ends
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := h.Hash(ctx, "x")
		done <- err
	}()
	for h.waiting.Load() == 0 {
		select {
		case err := <-done:
			t.Fatalf("Hash did not wait: %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Hash = %v, want %v", err, context.Canceled)
	}
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d still counted as waiting, want 0", n)
	}
	<-h.slots
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Errorf("Hash on a free slot = %v, want nil", err)
	}
}

func TestHasherRefusesWhenTheQueueIsFull(t *testing.T) {
	h := NewHasher(1)
	h.slots <- struct{}{}
	h.waiting.Store(queuePerSlot)
	if err := h.VerifyDummy(t.Context(), "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("VerifyDummy = %v, want %v", err, ErrBusy)
	}
	if n := h.waiting.Load(); n != queuePerSlot {
		t.Errorf("%d counted as waiting, want %d", n, queuePerSlot)
	}
}

func TestHasherDoesNothingForAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewHasher(1).VerifyDummy(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("VerifyDummy = %v, want %v", err, context.Canceled)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(NewHasher(1).dummy)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=8,t=16,p=16$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, key, err := parseHash(s)
		if err != nil {
			return
		}
		if again := p.format(salt, key); again != s {
			t.Errorf("%q reads back as %q", s, again)
		}
		if p.memory > 1<<20 || p.time > 16 {
			t.Errorf("%q may cost m=%d, t=%d", s, p.memory, p.time)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := NewHasher(0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	h := NewHasher(0)
	hash, err := h.Hash(b.Context(), "correct horse battery")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), hash, "correct horse battery"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
