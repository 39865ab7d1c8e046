package sqltext

// control reads transaction control. It returns false if the statement is none of that, and leaves s Unknown where it is,
// but not as it is known.
func (r *reader) control(s *Statement) bool {
	i := r.lo
	switch {
	case r.is(i, "BEGIN"), r.is(i, "START") && r.is(i+1, "TRANSACTION"):
		r.begin(s)
	case r.is(i, "COMMIT"), r.is(i, "END") && r.d != MySQL:
		r.ends(s, Commit)
	case r.is(i, "ROLLBACK"), r.is(i, "ABORT") && r.d != MySQL:
		r.ends(s, Rollback)
	case r.is(i, "SAVEPOINT"):
		r.savepoint(s, Savepoint, i+1)
	case r.is(i, "RELEASE"):
		if i++; r.is(i, "SAVEPOINT") && i+1 < r.end {
			i++
		}
		r.savepoint(s, Release, i)
	case r.is(i, "PREPARE") && r.is(i+1, "TRANSACTION"):
		s.Kind = PrepareTransaction
	case r.is(i, "XA"):
		r.xa(s)
	default:
		return false
	}
	return true
}

func (r *reader) begin(s *Statement) {
	for i := r.lo + 1; i < r.end; i++ {
		if !r.sign(i, ',') && !r.any(i, "WORK", "TRANSACTION", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "CONCURRENT", "READ", "ONLY", "WRITE",
			"ISOLATION", "LEVEL", "SERIALIZABLE", "REPEATABLE", "COMMITTED", "UNCOMMITTED", "NOT", "DEFERRABLE", "WITH", "CONSISTENT", "SNAPSHOT") {
			return // such as BEGIN NOT ATOMIC, a program of MariaDB
		}
	}
	s.Kind, s.Implicit = Begin, true
}

// ends reads what follows COMMIT and ROLLBACK.
func (r *reader) ends(s *Statement, k Kind) {
	i := r.lo + 1
	if r.any(i, "WORK", "TRANSACTION") {
		i++
	}
	switch {
	case r.is(i, "PREPARED"):
		// What another connection did is committed: whatever it was. Rolled back, nobody has seen it.
		if s.Kind = Call; k == Rollback {
			s.Kind = Session
		}
		return
	case k == Rollback && r.is(i, "TO"):
		if i++; r.is(i, "SAVEPOINT") && i+1 < r.end {
			i++
		}
		r.savepoint(s, RollbackTo, i)
		return
	}
	chain := false
	if r.is(i, "AND") {
		i++
		chain = !r.is(i, "NO")
		if !chain {
			i++
		}
		if !r.is(i, "CHAIN") {
			return
		}
		i++
	}
	if r.is(i, "NO") && r.is(i+1, "RELEASE") {
		i += 2
	} else if r.is(i, "RELEASE") {
		i++
	}
	if i == r.end {
		s.Kind, s.Chain = k, chain
	}
}

func (r *reader) savepoint(s *Statement, k Kind, i int) {
	name, ok := r.ident(i)
	if !ok || i+1 != r.end {
		return
	}
	// PostgreSQL alone tells apart names that differ in case, if they are quoted.
	if r.d != Postgres {
		name = fold(name)
	}
	s.Kind, s.Savepoint = k, name
}

// xa reads MySQL's control of distributed transactions.
func (r *reader) xa(s *Statement) {
	i := r.lo + 1
	switch {
	case r.any(i, "START", "BEGIN"):
		s.Kind = Begin
	case r.any(i, "END", "RECOVER"):
		s.Kind = Session
	case r.is(i, "PREPARE"):
		s.Kind = PrepareTransaction
	case r.is(i, "ROLLBACK"):
		s.Kind = Rollback
	case r.is(i, "COMMIT") && r.is(r.end-2, "ONE") && r.is(r.end-1, "PHASE"):
		s.Kind = Commit
	case r.is(i, "COMMIT"):
		s.Kind = Call
	}
}

// sets reads SET, for autocommit and for MariaDB's SET STATEMENT, which runs another statement.
func (r *reader) sets(s *Statement) {
	i := r.lo + 1
	if r.d == SQLite || r.d == Postgres {
		s.Kind = Session
		return
	}
	if r.is(i, "STATEMENT") {
		if at := r.find(i, "FOR"); at < r.end {
			r.within(s, at+1, true)
			return
		}
	}
	s.Kind, s.Implicit = Session, r.is(i, "PASSWORD")
	for i < r.end {
		if value, ok := r.autocommit(i); ok {
			switch {
			case r.any(value, "ON", "TRUE"), value < r.end && r.raw(value) == "1":
				s.Kind, s.On = Autocommit, true
			case r.any(value, "OFF", "FALSE"), value < r.end && r.raw(value) == "0":
				s.Kind, s.On = Autocommit, false
			default:
				s.Kind = Unknown
			}
			if value+1 < r.end && !r.sign(value+1, ',') {
				s.Kind = Unknown
			}
			if s.Kind == Unknown {
				s.On = false
				return
			}
		}
		for i < r.end && !r.sign(i, ',') {
			i = r.skip(i)
		}
		i++
	}
}

// autocommit returns the token of the value if the variable that is set at token i is this connection's autocommit.
func (r *reader) autocommit(i int) (value int, ok bool) {
	if r.sign(i, '@') {
		if i++; !r.sign(i, '@') {
			return 0, false // a variable of the user
		}
		i++
	}
	if r.any(i, "GLOBAL", "PERSIST", "PERSIST_ONLY") {
		return 0, false
	}
	if r.any(i, "SESSION", "LOCAL") {
		if i++; r.sign(i, '.') {
			i++
		}
	}
	if name, ok := r.ident(i); !ok || !same(name, "autocommit") {
		return 0, false
	}
	if i++; r.sign(i, ':') {
		i++
	}
	return i + 1, r.sign(i, '=')
}
