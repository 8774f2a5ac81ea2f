// Command provider is an identity provider to test against that portalctl's
// makers did not write: Zitadel's OpenID Provider library, which is certified
// by the OpenID Foundation, with the storage and the pages of its own example
// server. What is added here only sets it up: a client that may be led back to
// after signing out, and a signing key that can be changed while it runs.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen on")
	client := flag.String("client", "portal", "the client's name")
	secret := flag.String("secret", "", "the client's secret; none for a public client")
	redirect := flag.String("redirect", "", "where the client is led back to, with commas between")
	signedOut := flag.String("signed-out", "", "where it is led back to after signing out, with commas between")
	users := flag.String("users", "", "a file with the people, as the example server reads it")
	flag.Parse()

	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	issuer := "http://" + l.Addr().String()
	people := storage.NewUserStore(issuer)
	if *users != "" {
		if people, err = storage.StoreFromFile(*users); err != nil {
			return err
		}
	}
	known := storage.WebClient(*client, *secret, strings.Split(*redirect, ",")...)
	if *secret == "" {
		known = storage.NativeClient(*client, strings.Split(*redirect, ",")...)
	}
	storage.RegisterClients(known)
	s := &shelf{Storage: storage.NewStorage(people), signedOut: strings.Split(*signedOut, ",")}
	if err := s.rotate(); err != nil {
		return err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	router := exampleop.SetupServer(issuer, s, quiet, false)
	router.Post("/-/rotate", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.rotate(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	fmt.Println(issuer)
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shelf is the example's storage with keys of its own. Old keys stay in the
// set, as with every provider that rotates them, so that tokens already given
// out can still be read.
type shelf struct {
	*storage.Storage
	signedOut []string

	mu   sync.Mutex
	keys []*key
}

func (s *shelf) rotate() error {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, &key{uuid.NewString(), private})
	return nil
}

// SigningKey is the newest key.
func (s *shelf) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[len(s.keys)-1], nil
}

// KeySet is what the provider shows of all of them.
func (s *shelf) KeySet(context.Context) (list []op.Key, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		list = append(list, public{k})
	}
	return list, nil
}

// GetClientByClientID adds to a client where it may be led back to after
// signing out, which the example's clients leave empty.
func (s *shelf) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return leavingClient{c, s.signedOut}, nil
}

type leavingClient struct {
	op.Client
	signedOut []string
}

// PostLogoutRedirectURIs are the addresses registered.
func (c leavingClient) PostLogoutRedirectURIs() []string { return c.signedOut }

type key struct {
	id      string
	private *rsa.PrivateKey
}

// SignatureAlgorithm is RS256, as with the example's own key.
func (k *key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Key is the private key.
func (k *key) Key() any { return k.private }

// ID names the key.
func (k *key) ID() string { return k.id }

// public is a key as others see it.
type public struct{ *key }

// Algorithm is the signature's.
func (p public) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Use says that the key signs.
func (p public) Use() string { return "sig" }

// Key is the public key.
func (p public) Key() any { return &p.private.PublicKey }
