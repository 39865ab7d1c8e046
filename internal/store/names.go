package store

// ScriptNames returns the name of each script by the hash under which it is called, for whoever shows what passes
// between a cache and its Redis.
func ScriptNames() map[string]string {
	s := compile(func(_, source string) string { return source })
	return map[string]string{
		s.begin.Hash(): "begin", s.invalidate.Hash(): "invalidate", s.hold.Hash(): "hold", s.release.Hash(): "release",
		s.renew.Hash(): "renew", s.wait.Hash(): "wait", s.fill.Hash(): "fill", s.watch.Hash(): "watch", s.remove.Hash(): "remove",
	}
}
