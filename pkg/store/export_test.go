package store

// Waiting is how many writes wait for their turn.
func (s *Store) Waiting() int { return int(s.writer.waiting.Load()) }
