// Package auth holds what proves who somebody is: password hashes and the
// rules for passwords, and the random tokens behind links and sessions. Bytes
// go in and bytes come out; it knows no accounts, stores nothing and imports
// nothing else of portalctl.
package auth
