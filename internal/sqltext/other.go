package sqltext

// other reads what is neither a query nor a write with clauses of its own.
func (r *reader) other(s *Statement) {
	i := r.lo
	if i >= r.end || r.tokens[i].kind != wordToken || r.control(s) || r.defines(s) {
		return
	}
	switch {
	case r.is(i, "TRUNCATE"):
		r.truncate(s)
	case r.is(i, "COPY"):
		r.copies(s)
	case r.is(i, "LOAD"):
		r.load(s)
	case r.is(i, "REFRESH"):
		r.named(s, r.find(i, "VIEW")+1, "CONCURRENTLY")
	case r.any(i, "EXPLAIN", "DESCRIBE", "DESC"), r.is(i, "ANALYZE") && r.explains(i+1):
		r.explain(s)
	case r.is(i, "SET"):
		r.sets(s)
	case r.any(i, "CALL", "EXECUTE", "EXEC", "BINLOG"):
		s.Kind = Call
	case r.is(i, "DO"):
		// MySQL's DO is a SELECT without a result, PostgreSQL's is a program.
		if s.Kind = Call; r.d == MySQL {
			s.Kind = Read
		}
	case r.any(i, "DECLARE", "FETCH", "HANDLER", "HELP"):
		s.Kind = Read
	default:
		r.session(s)
	}
}

// session reads statements that write no rows.
func (r *reader) session(s *Statement) {
	i := r.lo
	switch {
	case r.any(i, "GRANT", "REVOKE", "CACHE", "CHECK", "FLUSH", "OPTIMIZE", "REPAIR", "INSTALL", "UNINSTALL", "CHANGE", "STOP", "START"):
		s.Implicit = true
	case r.is(i, "ANALYZE"), r.is(i, "RESET"):
		s.Implicit = !r.is(i+1, "PERSIST")
	case r.is(i, "LOCK"):
		s.Implicit = r.any(i+1, "TABLE", "TABLES")
	case r.any(i, "UNLOCK", "PRAGMA", "VACUUM", "SHOW", "DISCARD", "LISTEN", "UNLISTEN", "NOTIFY", "CHECKPOINT", "USE", "KILL", "CHECKSUM",
		"COMMENT", "SECURITY", "PREPARE", "DEALLOCATE", "CLOSE", "MOVE", "CLUSTER", "REINDEX", "ATTACH", "DETACH", "REASSIGN", "PURGE", "RESIGNAL",
		"SIGNAL", "SHUTDOWN", "RESTART"):
	default:
		return
	}
	s.Kind = Session
}

// named makes s a write of the table that is named at token i, behind a word that may stand before it.
func (r *reader) named(s *Statement, i int, before string) {
	if r.is(i, before) {
		i++
	}
	if name, _, ok := r.name(i); ok {
		r.wide(s, name)
		return
	}
	r.wide(s, r.names(r.lo, r.end)...)
}

// truncate reads TRUNCATE, which can name several tables.
func (r *reader) truncate(s *Statement) {
	i := r.lo + 1
	if r.is(i, "TABLE") {
		i++
	}
	tables, next, ok := r.list(i)
	switch {
	case r.any(next, "RESTART", "CONTINUE") && r.is(next+1, "IDENTITY"):
		next += 2
	case r.is(next, "WAIT"), r.is(next, "NOWAIT"):
		next = r.end
	}
	if r.any(next, "CASCADE", "RESTRICT") {
		next++
	}
	if !ok || next < r.end {
		tables = r.names(r.lo, r.end)
	}
	r.wide(s, tables...)
	s.Implicit = true
	s.Cascade = r.is(r.end-1, "CASCADE")
}

// list reads names of tables with commas between them.
func (r *reader) list(i int) (tables []Name, next int, ok bool) {
	for {
		if r.is(i, "ONLY") && r.d != SQLite && r.d != MySQL {
			i++
		}
		name, next, ok := r.name(i)
		if !ok {
			return tables, i, false
		}
		tables = append(tables, name)
		i = next
		if r.sign(i, '*') {
			i++
		}
		if !r.sign(i, ',') {
			return tables, i, true
		}
		i++
	}
}

// copies reads PostgreSQL's COPY, in either direction.
func (r *reader) copies(s *Statement) {
	i := r.lo + 1
	if r.is(i, "BINARY") {
		i++
	}
	if r.sign(i, '(') {
		r.read(s, r.lo)
		return
	}
	name, next, ok := r.name(i)
	if r.sign(next, '(') {
		next = r.skip(next)
	}
	switch {
	case ok && r.is(next, "TO"):
		s.Kind = Read
	case ok && r.is(next, "FROM"):
		r.wide(s, name)
	default:
		r.wide(s, r.names(r.lo, r.end)...)
	}
}

// load reads LOAD DATA of MySQL; PostgreSQL's LOAD loads a library.
func (r *reader) load(s *Statement) {
	switch {
	case r.any(r.lo+1, "DATA", "XML"):
		into := r.find(r.lo, "INTO")
		r.named(s, into+1, "TABLE")
	case r.is(r.lo+1, "INDEX"):
		s.Kind, s.Implicit = Session, true
	default:
		s.Kind = Session
	}
}

// explains returns whether what MariaDB's ANALYZE analyzes is a statement and not a table.
func (r *reader) explains(i int) bool {
	return r.is(i, "FORMAT") || r.is(i, "WITH") || r.verb(i) && !r.is(i, "TABLE")
}

// explain reads EXPLAIN, which runs what it explains under ANALYZE.
func (r *reader) explain(s *Statement) {
	i := r.lo
	runs := r.is(i, "ANALYZE")
	for i++; i < r.end; {
		switch {
		case r.any(i, "ANALYZE", "ANALYSE"):
			runs = true
			i++
		case r.any(i, "VERBOSE", "EXTENDED", "PARTITIONS", "QUERY", "PLAN"):
			i++
		case r.is(i, "FORMAT") && r.sign(i+1, '='):
			i += 3
		case r.sign(i, '(') && !r.reads(i):
			for next := r.skip(i); i < next; i++ {
				runs = runs || r.any(i, "ANALYZE", "ANALYSE")
			}
		default:
			r.within(s, i, runs)
			return
		}
	}
	s.Kind = Read
}

// within reads the statement that begins at token i within another, which runs it or not.
func (r *reader) within(s *Statement, i int, runs bool) {
	if !runs {
		s.Kind = Read
		return
	}
	inner := &reader{d: r.d, text: r.text, tokens: r.tokens, lo: i, end: r.end}
	t := Statement{written: s.written}
	inner.statement(&t)
	switch t.Kind {
	case Insert, Update, Delete:
		r.wide(s, t.Tables...)
	case Read, Wide, Schema, Call, Session:
		t.written = s.written
		*s = t
	}
}
