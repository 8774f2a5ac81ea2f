//go:build !unix

package web

import "testing"

// cpu has nothing to report where the system does not say.
func cpu(*testing.B) func() { return func() {} }
