package sqltext

// defines reads what changes a schema. It returns false if the statement is none of that.
func (r *reader) defines(s *Statement) bool {
	i := r.lo
	if !r.any(i, "CREATE", "ALTER", "DROP", "RENAME", "IMPORT") {
		return false
	}
	s.Kind, s.Implicit = Schema, true
	verb := i
	temporary := false
	for i++; r.any(i, "OR", "REPLACE", "GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "FOREIGN", "VIRTUAL", "MATERIALIZED", "UNIQUE",
		"RECURSIVE", "ONLINE", "OFFLINE", "IGNORE"); i++ {
		temporary = temporary || r.any(i, "TEMP", "TEMPORARY")
	}
	object := i
	for i++; r.any(i, "IF", "NOT", "EXISTS"); i++ {
	}
	last := r.end - 1
	switch {
	case r.is(verb, "RENAME"):
		s.Tables = r.names(object, r.end)
	case r.is(verb, "DROP") && r.any(object, "SCHEMA", "DATABASE", "OWNED"):
		s.Kind = Call
	case r.is(verb, "ALTER") && r.any(object, "TABLE", "VIEW"):
		// What is altered is named first; partitions and new names stand somewhere behind it.
		s.Tables = r.names(i, r.end)
	case r.is(verb, "DROP") && r.any(object, "TABLE", "TABLES", "VIEW"):
		tables, _, ok := r.list(i)
		if !ok {
			tables = r.names(i, r.end)
		}
		s.Tables = tables
	case r.is(verb, "CREATE") && r.any(object, "TABLE", "VIEW"):
		s.Tables = r.created(i)
	case r.is(verb, "CREATE") && r.any(object, "ALGORITHM", "DEFINER", "SQL") && r.find(i, "VIEW") < r.end:
		s.Tables = r.created(r.find(i, "VIEW") + 1)
	case r.is(verb, "CREATE") && r.any(object, "INDEX", "TRIGGER"):
		if name, _, ok := r.name(r.find(i, "ON") + 1); ok {
			s.Tables = []Name{name}
		}
	}
	s.Cascade = r.is(verb, "DROP") && r.is(last, "CASCADE")
	// MySQL leaves a transaction open for temporary tables, if for nothing else that is temporary.
	if temporary && r.any(verb, "CREATE", "DROP") && r.any(object, "TABLE", "TABLES") {
		s.Implicit = false
	}
	return true
}

// created returns the table that a CREATE TABLE or VIEW names, and those that the query that fills it writes.
func (r *reader) created(i int) []Name {
	name, _, ok := r.name(i)
	if !ok {
		return r.names(i, r.end)
	}
	nested, _ := r.nested(r.lo)
	return distinct(append([]Name{name}, nested...))
}
