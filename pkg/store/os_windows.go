package store

// syncFolder does nothing: Windows keeps names with the file's own sync.
func syncFolder(string) error { return nil }

// mayUse finds nothing: SQLite's own errors have to do.
func mayUse(string) (what string, err error) { return "", nil }
