package certs

import (
	"crypto/tls"
	"slices"
)

// suites are what TLS 1.2 may use: a key exchange of its own for every
// connection, and ciphers that authenticate what they encrypt. TLS 1.3 has no
// others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Config is how TLS is spoken, whoever gives the certificates: TLS 1.3, or 1.2
// with modern ciphers, HTTP/2, key exchanges as this Go prefers them (with
// X25519MLKEM768 first), and session tickets whose keys Go changes by itself.
// further are protocols besides HTTP.
//
// Clients without TLS 1.3 get no tickets: theirs hold the keys of the
// connection they were given in, for the seven days that Go lets them live.
// Few are left, and what it costs them is a whole handshake.
func Config(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), further ...string) *tls.Config {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suites,
		GetCertificate: certificate,
		NextProtos:     append([]string{"h2", "http/1.1"}, further...),
	}
	older := c.Clone()
	older.SessionTicketsDisabled = true
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
			return nil, nil //nolint:nilnil // as crypto/tls asks for: nothing else than what there is
		}
		return older, nil
	}
	return c
}
