package flight

// Keys returns how many keys somebody is visiting.
func (g *Group[R, B, V]) Keys() int {
	n := 0
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		n += len(s.keys)
		s.mu.Unlock()
	}
	return n
}
