package app

import "github.com/portalctl/portalctl/pkg/store"

// What this package's signatures name of the store's, for callers that do not
// know the store.
type (
	Scope     = store.Scope
	TokenKind = store.TokenKind
	Session   = store.Session
)

// The scopes of a ticket list and the kinds of one-time links.
const (
	ScopeMine    = store.ScopeMine
	ScopeCompany = store.ScopeCompany

	TokenSignIn     = store.TokenSignIn
	TokenInvitation = store.TokenInvitation
	TokenRegister   = store.TokenRegister
	TokenReset      = store.TokenReset
	TokenEmail      = store.TokenEmail
	TokenNotMe      = store.TokenNotMe
	TokenView       = store.TokenView
)
