package counter

// Tick does what Run does every second.
func (c *Counter) Tick() { c.tick() }
