package app

import "context"

// Mailer sends one mail of the outbox. The deliver slice says what it needs.
type Mailer interface{ From() string }

// Deliver is written by deliver.go.
func (a *App) Deliver(ctx context.Context) { <-ctx.Done() }
