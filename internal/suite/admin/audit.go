package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Run holds all of it.
func Run(t *testing.T, open writes.Open) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"scenario 29: two tags and no pattern clear these two, and the row shows who, when, what and how many", scenario29},
		{"tags and a pattern are one act with one record", oneAct},
		{"an old record is opened and a new one added: its own tags are cleared, and no others", oldThenNew},
		{"the same from code", fromCode},
		{"no record, no clearing", noRecord},
		{"what cannot be completed was carried out, stays begun and is told", notCompleted},
		{"a record is completed once, and neither changed nor deleted", kept},
		{"a form works once, however many use it at the same time", once},
		{"two operators at once", two},
		{"who left meanwhile has a completed record", left},
		{"the migrations go forth and back", forthAndBack},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, newWorld(t, open(t)))
		})
	}
}

func scenario29(t *testing.T, w *world) {
	before := time.Now().Add(-time.Second)
	page := w.clear("ann@example.com", w.preview("ann@example.com", url.Values{"tag": {"alpha", "gamma"}, "pattern": {""}}))
	if got := w.cleared(); !slices.Equal(got, []string{"alpha", "gamma"}) {
		t.Errorf("cleared are %v", got)
	}
	records := w.records()
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	want := admin.Record{
		ID: r.ID, Form: r.Form, Cache: w.cache.Prefix(), Actor: "ann@example.com", Begun: r.Begun, What: admin.Request{Tags: []string{"alpha", "gamma"}},
		MadeWrong: 2, Counted: 4, CountedAll: true, Outcome: admin.Done, Completed: r.Completed,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
	if r.Begun.Before(before) || r.Completed.Before(r.Begun) || time.Since(r.Completed) > time.Minute {
		t.Errorf("begun %v, completed %v", r.Begun, r.Completed)
	}
	for _, part := range []string{"ann@example.com", r.Begun.UTC().Format("2006-01-02 15:04:05"), "<code>alpha</code>", "<code>gamma</code>", "<dd>2</dd>", "<dd>4</dd>", "done"} {
		if !strings.Contains(page, part) {
			t.Errorf("the record's page does not show %s:\n%s", part, page)
		}
	}
	// Read-only: there is nothing on its page to send but the search for keys, nothing takes a change of it, and whatever a second
	// admin sends leaves its author.
	if forms := strings.Count(page, "<form"); forms != 1 {
		t.Errorf("the record's page has %d forms", forms)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, path := range []string{"record", "audit", fmt.Sprintf("record?id=%d", r.ID)} {
			if status, _, _ := w.ask("bob@example.com", method, path, url.Values{"id": {fmt.Sprint(r.ID)}, "actor": {"bob@example.com"}}); status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s answers %d", method, path, status)
			}
		}
	}
	if diff := cmp.Diff(records, w.records()); diff != "" {
		t.Errorf("a second admin changed the audit (-was +is):\n%s", diff)
	}
}

func oneAct(t *testing.T, w *world) {
	w.clear("ann", w.preview("ann", url.Values{"tag": {"beta"}, "pattern": {"book:*:delta"}, "tags": {"gamma\r\n\r\n"}}))
	if got := w.cleared(); !slices.Equal(got, []string{"beta", "gamma", "delta"}) {
		t.Errorf("cleared are %v", got)
	}
	records := w.records()
	if len(records) != 1 || records[0].MadeWrong != 2 || records[0].Removed != 2 || records[0].What.Pattern != "book:*:delta" {
		t.Errorf("the records are %+v", records)
	}
}

func oldThenNew(t *testing.T, w *world) {
	w.clear("ann", w.preview("ann", url.Values{"tag": {"alpha"}}))
	w.cleared()
	old := w.records()
	if status, _, _ := w.ask("bob", http.MethodGet, fmt.Sprintf("record?id=%d", old[0].ID), nil); status != http.StatusOK {
		t.Errorf("the old record answers %d", status)
	}
	if got := w.cleared(); got != nil {
		t.Errorf("opening a record cleared %v", got)
	}
	if _, _, text := w.ask("bob", http.MethodGet, "clear", nil); strings.Contains(text, " checked") || strings.Contains(text, " disabled") {
		t.Error("the form to add comes with something chosen")
	}
	w.clear("bob", w.preview("bob", url.Values{"tag": {"gamma"}}))
	if got := w.cleared(); !slices.Equal(got, []string{"gamma"}) {
		t.Errorf("cleared are %v", got)
	}
	now := w.records()
	if len(now) != 2 || !slices.Equal(now[1].What.Tags, []string{"gamma"}) || now[1].Actor != "bob" {
		t.Errorf("the new record is %+v", now[1:])
	}
	if diff := cmp.Diff(old[0], now[0]); diff != "" {
		t.Errorf("the old record (-was +is):\n%s", diff)
	}
}

func fromCode(t *testing.T, w *world) {
	ann := admin.Actor{Name: "deploy", Role: admin.Act}
	r, err := w.page.Invalidate(t.Context(), ann, admin.Request{Tags: []string{"beta"}, Pattern: "book:1:alpha"})
	if err != nil || r.MadeWrong != 1 || r.Removed != 1 || r.Outcome != admin.Done || r.Counted != -1 {
		t.Errorf("Invalidate = %+v, %v", r, err)
	}
	if got := w.cleared(); !slices.Equal(got, []string{"alpha", "beta"}) {
		t.Errorf("cleared are %v", got)
	}
	for _, refused := range []struct {
		who  admin.Actor
		what admin.Request
		want error
	}{
		{admin.Actor{Name: "reader", Role: admin.Reveal}, admin.Request{Tags: []string{"beta"}}, admin.ErrRole},
		{admin.Actor{Role: admin.Act}, admin.Request{Tags: []string{"beta"}}, admin.ErrRole},
		{ann, admin.Request{}, admin.ErrRequest},
		{ann, admin.Request{Pattern: "*"}, admin.ErrRequest},
		{ann, admin.Request{Pattern: "*", Confirm: "yes"}, admin.ErrRequest},
	} {
		if _, err := w.page.Invalidate(t.Context(), refused.who, refused.what); !errors.Is(err, refused.want) {
			t.Errorf("Invalidate(%+v, %+v) = %v, want %v", refused.who, refused.what, err, refused.want)
		}
	}
	// Nor is anything cleared of a request of which the cache would refuse a part.
	for _, refused := range []admin.Request{
		{Tags: []string{"beta"}, Keys: []string{"nobody:7"}},
		{Tags: []string{"beta"}, Pattern: "book:["},
		{Pattern: "book:*", Names: []string{"nothing:7"}},
		{Keys: []string{"book:1:alpha"}, Invalid: []admin.Target{{Name: "admin.Nobody"}}},
	} {
		if _, err := w.page.Invalidate(t.Context(), ann, refused); !errors.As(err, new(*cacheme.UsageError)) {
			t.Errorf("Invalidate(%+v) = %v, want a *UsageError", refused, err)
		}
	}
	if got, n := w.cleared(), len(w.records()); got != nil || n != 1 {
		t.Errorf("what was refused cleared %v and left %d records", got, n-1)
	}
	if _, err := w.page.Invalidate(t.Context(), ann, admin.Request{Pattern: "*", Confirm: w.cache.Prefix()}); err != nil {
		t.Error(err)
	}
	if got := w.cleared(); len(got) != len(tags) {
		t.Errorf("cleared are %v", got)
	}
}

func noRecord(t *testing.T, w *world) {
	form := w.preview("ann", url.Values{"tag": {"alpha"}, "pattern": {"book:*"}})
	w.exec(takeAway)
	if status, _, text := w.ask("ann", http.MethodPost, "cleared", form); status != http.StatusServiceUnavailable || !strings.Contains(text, "Nothing was cleared") {
		t.Errorf("clearing without an audit answers %d: %s", status, text)
	}
	if _, err := w.page.Invalidate(t.Context(), admin.Actor{Name: "ann", Role: admin.Act}, admin.Request{Tags: []string{"alpha"}}); !errors.Is(err, admin.ErrAudit) {
		t.Errorf("Invalidate = %v", err)
	}
	if got := w.cleared(); got != nil {
		t.Errorf("without a record there were cleared %v", got)
	}
	w.exec(bring)
	w.clear("ann", form) // it was not used up
}

func kept(t *testing.T, w *world) {
	w.clear("ann", w.preview("ann", url.Values{"tag": {"alpha"}}))
	was := w.records()
	begun := admin.Record{Form: "begun", Cache: w.cache.Prefix(), Actor: "ann", Begun: was[0].Begun, Outcome: admin.Begun}
	if _, err := w.db.NewInsert().Model(&begun).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := was[0].ID
	bad := []string{
		fmt.Sprintf("UPDATE cacheme_audit SET actor = 'bob' WHERE id = %d", id),
		fmt.Sprintf("UPDATE cacheme_audit SET outcome = 'failed' WHERE id = %d", id),
		fmt.Sprintf("UPDATE cacheme_audit SET outcome = 'begun' WHERE id = %d", id),
		fmt.Sprintf("UPDATE cacheme_audit SET made_wrong = 7 WHERE id = %d", id),
		fmt.Sprintf("UPDATE cacheme_audit SET outcome = 'done', actor = 'bob' WHERE id = %d", begun.ID),
		fmt.Sprintf(`UPDATE cacheme_audit SET outcome = 'done', what = '{"tags":["x"]}' WHERE id = %d`, begun.ID),
		fmt.Sprintf("UPDATE cacheme_audit SET problem = 'nothing' WHERE id = %d", begun.ID),
		fmt.Sprintf("DELETE FROM cacheme_audit WHERE id = %d", id),
		fmt.Sprintf("DELETE FROM cacheme_audit WHERE id = %d", begun.ID),
		"DELETE FROM cacheme_audit",
	}
	replace := "REPLACE INTO cacheme_audit (id, form, cache, actor, begun_at, what, made_wrong, removed, counted, counted_all, outcome, problem) " +
		fmt.Sprintf("VALUES (%d, 'x', 'x', 'bob', '2026-01-01 00:00:00', '{}', 0, 0, 0, 0, 'done', '')", id)
	if w.db.Dialect().Name().String() == "pg" {
		replace = "TRUNCATE cacheme_audit"
	}
	before := w.records()
	for _, statement := range append(bad, replace) {
		if _, err := w.db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "a record is completed once") {
			t.Errorf("the database says %v to %s", err, statement)
		}
	}
	if diff := cmp.Diff(before, w.records()); diff != "" {
		t.Errorf("the audit (-was +is):\n%s", diff)
	}
}

func once(t *testing.T, w *world) {
	form := w.preview("ann", url.Values{"tag": {"alpha"}})
	answers := make([]int, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i], _, _ = w.ask("ann", http.MethodPost, "cleared", form) })
	}
	all.Wait()
	slices.Sort(answers)
	if want := []int{303, 409, 409, 409, 409, 409, 409, 409}; !slices.Equal(answers, want) {
		t.Errorf("the answers are %v, want %v", answers, want)
	}
	if n := len(w.records()); n != 1 {
		t.Errorf("%d records", n)
	}
	if got := w.cleared(); !slices.Equal(got, []string{"alpha"}) {
		t.Errorf("cleared are %v", got)
	}
	if status, _, _ := w.ask("ann", http.MethodPost, "cleared", form); status != http.StatusConflict {
		t.Errorf("the form once more answers %d", status)
	}
	if got := w.cleared(); got != nil {
		t.Errorf("a used form cleared %v", got)
	}
}

func two(t *testing.T, w *world) {
	const each = 10
	who := map[string]string{"ann": "alpha", "bob": "beta"}
	var all sync.WaitGroup
	for name, tag := range who {
		all.Go(func() {
			for range each {
				form := w.preview(name, url.Values{"tag": {tag}})
				if status, _, text := w.ask(name, http.MethodPost, "cleared", form); status != http.StatusSeeOther {
					t.Errorf("%s is answered %d: %s", name, status, text)
				}
			}
		})
	}
	all.Wait()
	if got := w.cleared(); !slices.Equal(got, []string{"alpha", "beta"}) {
		t.Errorf("cleared are %v", got)
	}
	n := map[string]int{}
	for _, r := range w.records() {
		n[r.Actor]++
		if r.Outcome != admin.Done || !slices.Equal(r.What.Tags, []string{who[r.Actor]}) {
			t.Errorf("a record is %+v", r)
		}
	}
	if n["ann"] != each || n["bob"] != each {
		t.Errorf("records by actor: %v", n)
	}
	stolen := w.preview("ann", url.Values{"tag": {"gamma"}})
	if status, _, _ := w.ask("bob", http.MethodPost, "cleared", stolen); status != http.StatusForbidden {
		t.Errorf("ann's form in bob's hands answers %d", status)
	}
	if got := w.cleared(); got != nil {
		t.Errorf("a stolen form cleared %v", got)
	}
}

func left(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(t.Context())
	stop := w.db.WithQueryHook(leaver{cancel})
	page, err := admin.New(w.cache.Console(), stop, admin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	if _, err := page.Invalidate(ctx, admin.Actor{Name: "ann", Role: admin.Act}, admin.Request{Pattern: "book:*"}); err == nil {
		t.Error("a pattern was looked for although its caller had left")
	}
	records := w.records()
	if len(records) != 1 || records[0].Outcome == admin.Begun || records[0].Outcome == admin.Done || records[0].Problem == "" {
		t.Errorf("the records are %+v", records)
	}
}

func forthAndBack(t *testing.T, w *world) {
	m := migrator(w.db)
	if _, err := m.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.ExecContext(t.Context(), "SELECT id FROM cacheme_audit"); err == nil {
		t.Error("the table is still there")
	}
	if _, err := m.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.records()); n != 0 {
		t.Errorf("%d records", n)
	}
}
