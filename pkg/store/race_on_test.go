//go:build race

package store_test

// raced is set under the race detector, where SQLite takes forty times as
// long.
const raced = true
