package certs

import (
	"crypto/tls"
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
// with modern ciphers, HTTP/2, and key exchanges as this Go prefers them (with
// X25519MLKEM768 first). further are protocols besides HTTP.
//
// There are no session tickets. Go's live for seven days, which cannot be
// changed; they let whoever listens know a visitor again, and those of TLS 1.2
// hold the keys of the connection they were given in. What they would save with
// TLS 1.3 is a signature and the certificate, not a round trip.
func Config(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), further ...string) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		CipherSuites:           suites,
		GetCertificate:         certificate,
		NextProtos:             append([]string{"h2", "http/1.1"}, further...),
		SessionTicketsDisabled: true,
	}
}
