package sqltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/sqltext"
)

func TestParse_transaction_control(t *testing.T) {
	t.Parallel()
	at := func(k sqltext.Kind, name string) sqltext.Statement {
		return sqltext.Statement{Kind: k, Savepoint: name}
	}
	chain := func(k sqltext.Kind) sqltext.Statement { return sqltext.Statement{Kind: k, Chain: true} }
	read(t, pg, []reading{
		{`BEGIN`, kind(sqltext.Begin)},
		{`begin isolation level repeatable read, read only, not deferrable;`, kind(sqltext.Begin)},
		{`START TRANSACTION READ WRITE`, kind(sqltext.Begin)},
		{`/* x */ COMMIT -- y`, kind(sqltext.Commit)},
		{`END TRANSACTION`, kind(sqltext.Commit)},
		{`COMMIT WORK AND NO CHAIN`, kind(sqltext.Commit)},
		{`COMMIT AND CHAIN`, chain(sqltext.Commit)},
		{`ABORT`, kind(sqltext.Rollback)},
		{`ROLLBACK TRANSACTION AND CHAIN`, chain(sqltext.Rollback)},
		{`SAVEPOINT Sp_1`, at(sqltext.Savepoint, "sp_1")},
		{`RELEASE "Sp"`, at(sqltext.Release, "Sp")},
		{`RELEASE SAVEPOINT savepoint`, at(sqltext.Release, "savepoint")},
		{`ROLLBACK TO sp`, at(sqltext.RollbackTo, "sp")},
		{`ROLLBACK WORK TO SAVEPOINT SP`, at(sqltext.RollbackTo, "sp")},
		{`PREPARE TRANSACTION 'x'`, kind(sqltext.PrepareTransaction)},
		{`COMMIT whatever`, kind(sqltext.Unknown)},
		{`ROLLBACK TO`, kind(sqltext.Unknown)},
		{`BEGIN whatever`, kind(sqltext.Unknown)},
	})
	read(t, lite, []reading{
		{`BEGIN IMMEDIATE TRANSACTION`, kind(sqltext.Begin)},
		{`END`, kind(sqltext.Commit)},
		{`SAVEPOINT "A"`, at(sqltext.Savepoint, "a")},
		{`ROLLBACK TRANSACTION TO 'A'`, at(sqltext.RollbackTo, "a")},
		{`RELEASE savepoint`, at(sqltext.Release, "savepoint")},
	})
	read(t, my, []reading{
		{`START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY`, implicit(kind(sqltext.Begin))},
		{`COMMIT AND NO CHAIN RELEASE`, kind(sqltext.Commit)},
		{`ROLLBACK NO RELEASE`, kind(sqltext.Rollback)},
		{"SAVEPOINT `Sp`", at(sqltext.Savepoint, "sp")},
		{`BEGIN NOT ATOMIC DELETE FROM t`, kind(sqltext.Unknown)},
		{`END`, kind(sqltext.Unknown)},
		{`XA START 'x'`, kind(sqltext.Begin)},
		{`XA END 'x'`, kind(sqltext.Session)},
		{`XA PREPARE 'x'`, kind(sqltext.PrepareTransaction)},
		{`XA COMMIT 'x' ONE PHASE`, kind(sqltext.Commit)},
		{`XA ROLLBACK 'x'`, kind(sqltext.Rollback)},
		{`SET autocommit = 0`, kind(sqltext.Autocommit)},
		{`SET @@session.autocommit = OFF`, kind(sqltext.Autocommit)},
		{`SET @x = 1, SESSION autocommit := ON, sql_mode = 'a,autocommit=0'`, sqltext.Statement{Kind: sqltext.Autocommit, On: true}},
		{`SET @@autocommit = TRUE`, sqltext.Statement{Kind: sqltext.Autocommit, On: true}},
		{`SET autocommit = @x`, kind(sqltext.Unknown)},
		{`SET autocommit = 1 - 1`, kind(sqltext.Unknown)},
		{`SET @autocommit = 0`, kind(sqltext.Session)},
		{`SET GLOBAL autocommit = 0`, kind(sqltext.Session)},
		{`SET @@global.autocommit = 0`, kind(sqltext.Session)},
	})
}

func TestParse_several_statements(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		d        sqltext.Dialect
		text     string
		want     []sqltext.Kind
		controls bool
	}{
		{pg, ``, nil, false},
		{pg, ` ; -- nothing` + "\n;/* ; */", nil, false},
		{pg, `SELECT ';'; DELETE FROM a;; UPDATE b SET c = $$;$$ ;`, []sqltext.Kind{sqltext.Read, sqltext.Delete, sqltext.Update}, false},
		{pg, `BEGIN; DELETE FROM a; COMMIT`, []sqltext.Kind{sqltext.Begin, sqltext.Delete, sqltext.Commit}, true},
		{lite, `DELETE FROM a; whatever it is; DELETE FROM b`, []sqltext.Kind{sqltext.Delete, sqltext.Unknown, sqltext.Delete}, false},
		{lite, `DELETE FROM a; commits it all or not`, []sqltext.Kind{sqltext.Delete, sqltext.Unknown}, false},
		{lite, `DELETE FROM a; (COMMIT)`, []sqltext.Kind{sqltext.Delete, sqltext.Unknown}, true},
		{
			lite, `CREATE TRIGGER t DELETE ON a BEGIN DELETE FROM b; SELECT CASE 1 WHEN 1 THEN 2 END; END; DELETE FROM c`,
			[]sqltext.Kind{sqltext.Schema, sqltext.Delete},
			false,
		},
		{pg, `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'begin; end'; DELETE FROM c`, []sqltext.Kind{sqltext.Schema, sqltext.Delete}, false},
		{
			my, `CREATE PROCEDURE p() BEGIN IF a THEN BEGIN DELETE FROM b; END; END IF; WHILE x DO DELETE FROM c; END WHILE; END; DELETE FROM d`,
			[]sqltext.Kind{sqltext.Schema, sqltext.Delete},
			false,
		},
		{my, `SET autocommit = 0; DELETE FROM a`, []sqltext.Kind{sqltext.Autocommit, sqltext.Delete}, true},
	} {
		script := sqltext.Parse(r.d, r.text)
		var got []sqltext.Kind
		for _, s := range script.Statements {
			got = append(got, s.Kind)
		}
		if diff := cmp.Diff(r.want, got); diff != "" || script.Controls() != r.controls {
			t.Errorf("Parse(%s) controls: %t, want %t (-want +got):\n%s", r.text, script.Controls(), r.controls, diff)
		}
	}
}

func TestMentions(t *testing.T) {
	t.Parallel()
	text := "frobnicate Books, \"my \"\"own\"\" table\", shop.`authors` 'orders' /* shelves */ Übersicht x_y $$users$$"
	s, _ := sqltext.Parse(pg, text+" '").Single()
	for _, in := range []string{"books", "BOOKS", `my "own" table`, "own", "authors", "shop", "orders", "shelves", "übersicht", "x_y", "users", ""} {
		if !s.Mentions(in) {
			t.Errorf("Mentions(%s) = false", in)
		}
	}
	for _, out := range []string{"book", "ooks", "x", "y", "bersicht", "Über", "nothing", strings.Repeat("x", 1000)} {
		if s.Mentions(out) {
			t.Errorf("Mentions(%s) = true", out)
		}
	}
	coded, _ := sqltext.Parse(pg, `DELETE FROM U&"\0062ooks"`).Single()
	if !coded.Mentions("books") || coded.Kind != sqltext.Unknown {
		t.Errorf("a name in codes: kind %v, mentions %t", coded.Kind, coded.Mentions("books"))
	}
}
