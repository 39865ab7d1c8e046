package admin

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cacheme/cacheme/admin"
)

// notCompleted loses the table between the two writes of a record.
func notCompleted(t *testing.T, w *world) {
	var log bytes.Buffer
	whole := w.page
	page, err := admin.New(w.cache.Console(), w.db.WithQueryHook(leaver{func() { w.exec(takeAway) }}), admin.Options{
		Authorize: func(r *http.Request) (admin.Actor, error) {
			return admin.Actor{Name: r.Header.Get("X-Actor"), Role: admin.Act}, nil
		},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	w.page = page

	status, _, text := w.ask("ann", http.MethodPost, "cleared", w.preview("ann", url.Values{"tag": {"alpha"}}))
	w.exec(bring)
	records := w.records()
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	to := fmt.Sprintf("record?id=%d", records[0].ID)
	for _, part := range []string{"was carried out (done)", "stays begun", to} {
		if !strings.Contains(text, part) {
			t.Errorf("the operator is not told %q:\n%s", part, text)
		}
	}
	if status != http.StatusInternalServerError {
		t.Errorf("the answer is %d", status)
	}
	told := regexp.MustCompile(`level=WARN msg="admin: cleared" actor=ann record=\d+ outcome=done made_wrong=1 removed=0 recorded=false`)
	if !told.MatchString(log.String()) {
		t.Errorf("the log is\n%s", log.String())
	}

	r, err := page.Invalidate(t.Context(), admin.Actor{Name: "deploy", Role: admin.Act}, admin.Request{Tags: []string{"beta"}})
	w.exec(bring)
	if err == nil || r == nil || r.Outcome != admin.Done || r.MadeWrong != 1 || !r.Completed.IsZero() {
		t.Errorf("Invalidate() = %+v, %v; want what came of it, and that its record is not completed", r, err)
	}
	if got := w.cleared(); !slices.Equal(got, []string{"alpha", "beta"}) {
		t.Errorf("cleared are %v", got)
	}

	w.page = whole
	for _, r := range w.records() {
		if r.Outcome != admin.Begun || !r.Completed.IsZero() {
			t.Errorf("a record is %+v, want it as it was begun", r)
		}
	}
	if _, _, text := w.ask("ann", http.MethodGet, to, nil); !strings.Contains(text, "may have been carried out or not") {
		t.Errorf("its page does not say that the outcome is unknown:\n%s", text)
	}
}
