package cacheme

import "context"

// InLoad reports whether ctx is that of a load that has not ended: what is read with it may be stored.
func InLoad(ctx context.Context) bool {
	s := scopeOf(ctx)
	return s != nil && !s.isOver()
}

// FromReplica says, inside a load, that it read a replica of the database, which may be behind what is committed. Its value
// is returned and not stored, nor is that of any load that this one is inside of: what has been written already would make
// it wrong no more. Those who wait for such a load share it all the same. ctx is the loader's, or one made of it; line is
// where the query came from, and tables are what it read, as far as that is known. EventReplica tells of it, once for each
// node and table.
//
// Package bunhooks says so of the connections that it sees. It is for loaders that read a replica by other ways. Outside of
// loads it does nothing.
func FromReplica(ctx context.Context, line string, tables ...string) {
	s := scopeOf(ctx)
	for outer := s; outer != nil; outer = outer.outer {
		outer.fallBehind()
	}
	if s == nil || s.isOver() || s.plan == nil {
		return
	}
	if len(tables) == 0 {
		tables = []string{""}
	}
	for _, table := range tables {
		if s.plan.known.first("replica " + table) {
			s.cache.happened(ctx, s.plan, Event{
				Kind: EventReplica, Table: table, Line: line,
				Reason: readReplica + ", which may be behind what is committed: nothing that it loads is stored; have its loader read the primary",
			})
		}
	}
}

// readReplica is why the value of such a load is not stored.
const readReplica = "the load read a replica"

// fallBehind notes it, unless the load is over.
func (s *scope) fallBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.inner.behind = true
	}
}
