package cacheme

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func recorder(t *testing.T) *Cache {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{})
	c, err := New(rdb, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close(t.Context())
		_ = rdb.Close()
	})
	return c
}

func keysOf(names ...string) (keys []string) {
	for _, name := range names {
		keys = append(keys, "CM:"+name+":invalid")
	}
	return keys
}

func TestRecord_blames_the_last_statement_that_made_it_wrong(t *testing.T) {
	t.Parallel()
	c := recorder(t)
	var a account
	for i, names := range [][]string{{"row:a", "rows:t"}, {"row:b", "rows:t"}, {"row:a"}} {
		a.add(Write{Operation: "UPDATE", Caller: fmt.Sprint("a.go:", i)}, keysOf(names...))
	}
	if want := keysOf("row:a", "rows:t", "row:b"); !slices.Equal(a.keys, want) {
		t.Errorf("keys = %q, want %q", a.keys, want)
	}
	b := c.encodeRecord(a.writes, 1, false)
	for name, line := range map[string]string{"row:a": "a.go:2", "row:b": "a.go:1", "rows:t": "a.go:1"} {
		w, some, ok := blamed(b, name)
		if !ok || some != nil || w == nil || w.Caller != line {
			t.Errorf("blamed(%s) = %v, %v, %v, want the statement of %s", name, w, some, ok, line)
		}
	}
	if w, some, ok := blamed(b, "row:c"); w != nil || ok {
		t.Errorf("blamed for what nobody wrote: %v, %v, %v", w, some, ok)
	}
}

// A record that cannot hold all that its statements wrote says which may have been it, and never names a wrong one.
func TestRecord_that_is_cut_blames_several(t *testing.T) {
	t.Parallel()
	c := recorder(t)
	var a account
	last := map[string]string{}
	for i := range 12 {
		var names []string
		for row := range 40 {
			names = append(names, fmt.Sprintf("row:%d", (i*17+row)%200))
		}
		line := fmt.Sprint("a.go:", i)
		for _, name := range names {
			last[name] = line
		}
		a.add(Write{Operation: "UPDATE", Caller: line}, keysOf(names...))
	}
	b := c.encodeRecord(a.writes, 1, false)
	certain := 0
	for name, line := range last {
		w, some, ok := blamed(b, name)
		switch {
		case !ok:
			t.Errorf("%s: nobody is blamed", name)
		case w != nil && w.Caller != line:
			t.Errorf("%s: %s is blamed, and it was %s", name, w.Caller, line)
		case w != nil:
			certain++
		case !slices.ContainsFunc(some, func(w Write) bool { return w.Caller == line || w.Caller == "" }):
			t.Errorf("%s: one of %v, and it was %s", name, some, line)
		}
	}
	t.Logf("%d of %d for certain", certain, len(last))
}

func TestAccount_joins_the_statements_of_one_line(t *testing.T) {
	t.Parallel()
	var a account
	rows := []string{"1", "2", "3"}
	for i := range 3 {
		a.add(Write{Operation: "UPDATE", Caller: "a.go:1", Rows: rows[i : i+1], Count: 1}, keysOf("row:"+rows[i]))
	}
	if len(a.writes) != 1 || a.writes[0].Count != 3 || !slices.Equal(a.writes[0].Rows, rows) || len(a.writes[0].keys) != 3 {
		t.Errorf("writes = %+v, want one of three rows", a.writes)
	}
}

func FuzzRecord_is_bounded(f *testing.F) {
	f.Add("UPDATE", "books", "7", "shop/writes.go:88", "4bf9", 3, 5)
	f.Add("\x00\x01\xff", strings.Repeat("é", 200), strings.Repeat("\"", 200), strings.Repeat("\\", 300), "<>&", 40, 100)
	f.Fuzz(func(t *testing.T, operation, table, row, line, trace string, writes, keys int) {
		c := &Cache{process: "host:1"}
		c.store = recorder(t).store
		var a account
		for i := range 1 + max(0, writes)%50 {
			var names []string
			for k := range 1 + max(0, keys)%200 {
				names = append(names, fmt.Sprint("row:", i+k))
			}
			a.add(Write{Operation: operation, Table: table, Rows: []string{row, row, row, row, row, row}, Count: 6, Caller: fmt.Sprint(line, i), Trace: trace}, keysOf(names...))
		}
		b := c.encodeRecord(a.writes, 1<<60, true)
		if len(b) > maxRecord {
			t.Errorf("%d bytes: %s", len(b), b)
		}
		if _, _, ok := blamed(b, "row:0"); !ok {
			t.Errorf("nobody is blamed by %s", b)
		}
	})
}
