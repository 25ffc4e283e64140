package sqlite

// Damage tells why the queue takes nothing any more: something that was stored
// could not be read. It wraps queue.ErrDamaged; nil: nothing was found.
func (q *Queue) Damage() error {
	if err := q.damaged.Load(); err != nil {
		return *err
	}
	return nil
}
