//go:build !unix

package web

import "time"

// processorTime is not known here; benchmarks report 0 for it.
func processorTime() time.Duration { return 0 }
