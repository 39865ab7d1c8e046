package outbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// poison puts rows before others that no relay can do anything with.
func poison(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	p := w.start(byHand, 0)
	for what, row := range map[string][2]string{
		"of a trigger on a table without a name": {`[""]`, `{"v":1,"op":"UPDATE","rows":[{"id":1}]}`},
		"of a trigger whose row is none":         {`["outbox_papers"]`, `{"v":1,"op":"UPDATE","rows":[null]}`},
		"of a trigger with values of no column":  {`["outbox_papers"]`, `{"v":1,"op":"UPDATE","rows":[{"id":{"a":[1]},"desk":[],"":1}]}`},
		"with a name without a key":              {`["outbox_papers"]`, `{"v":1,"writes":[{"names":["row:"]}]}`},
		"with a name without a kind":             {`["outbox_papers"]`, `{"v":1,"writes":[{"names":[""]}]}`},
		"that is deeper than anybody reads":      {`["outbox_papers"]`, `{"v":1,"writes":` + strings.Repeat("[", 20_000)},
		"that is longer than anybody reads":      {`["outbox_papers"]`, `{"v":1,"writes":[{"names":["row:` + strings.Repeat("x", 5<<20) + `"]}]}`},
	} {
		p.warm()
		w.keep(0, row[0], row[1])
		w.keep(0, `["outbox_papers"]`, `{"v":1,"op":"UPDATE","rows":[{"id":1,"desk":1,"folder":null}]}`)
		w.exec(w.admin, "UPDATE outbox_papers SET text = 'changed by "+what[:10]+fmt.Sprint(w.kept.Load())+"' WHERE id = 1")
		if n, err := p.outbox.Relay(t.Context()); n != 2 || err != nil {
			t.Errorf("a row %s: Relay() = %d, %v, want it and the one behind it", what, n, err)
		}
		p.isFresh("behind a row " + what)
	}
}

// namesNothing has rows of which nobody can say which tables they are about.
func namesNothing(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	p := w.start(byHand, 0)
	rows := map[string][2]string{
		"of another version":     {`{"tables":["outbox_papers"]}`, `{"v":2}`},
		"of a trigger":           {`no JSON`, `{"v":1,"op":"UPDATE","rows":[{"id":1,"desk":1}]}`},
		"without any":            {`[]`, `{"v":2}`},
		"of a name that is none": {`["outbox_papers", ""]`, `{"v":2}`},
	}
	for what, row := range rows {
		p.warm()
		w.keep(0, row[0], row[1])
		if n := p.relay(); n != 1 {
			t.Errorf("a row %s: %d were told, want it", what, n)
		}
		if loads := p.loaded(); loads != 8 {
			t.Errorf("a row %s: %d of 8 entries became wrong", what, loads)
		}
	}
	if n := p.outbox.Stats().Unreadable; n != uint64(len(rows)) {
		t.Errorf("%d rows were told as unreadable, want %d", n, len(rows))
	}
}

// partAtATime has more to tell than Redis takes in the time that a relay gives one batch.
func partAtATime(t *testing.T, d writes.Database) {
	if d.Dialect != writes.SQLite {
		t.Skip("it takes its time, and is the same on all of them")
	}
	w := newWorld(t, d)
	p := w.start(byHand, 0)
	const rows, names = 60, 100
	for row := range rows {
		var all []string
		for name := range names {
			all = append(all, fmt.Sprintf("tag:%d of %d", name, row))
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		w.keep(0, `["outbox_papers"]`, `{"v":1,"writes":[{"names":`+string(text)+`}]}`)
	}
	p.slow.Store(int64(time.Millisecond)) // more for all of them than a batch has
	told := 0
	// On a busy machine a part may fail too; what was told before it stays told.
	for began := time.Now(); told < rows && time.Since(began) < 2*time.Minute; {
		n, _ := p.outbox.Relay(t.Context())
		told += n
	}
	if told != rows {
		t.Errorf("%d rows were told, want %d", told, rows)
	}
	p.slow.Store(0)
}

func relaysAtOnce(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	const relays, rows = 4, 900
	var all []*process
	for range relays {
		all = append(all, w.start(byHand, 0))
	}
	all[0].warm()
	for row := range rows {
		w.keep(0, `["outbox_papers"]`, fmt.Sprintf(`{"v":1,"op":"UPDATE","rows":[{"id":%d,"desk":1,"folder":null}]}`, 100+row))
	}
	w.exec(w.admin, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
	w.keep(0, `["outbox_papers"]`, `{"v":1,"op":"UPDATE","rows":[{"id":1,"desk":1,"folder":null}]}`)
	told := make([]int, relays)
	failed := make([]error, relays)
	var running sync.WaitGroup
	deadline := time.Now().Add(30 * time.Second)
	for i, p := range all {
		running.Go(func() {
			for idle := 0; idle < 3 && time.Now().Before(deadline); {
				n, err := p.outbox.Relay(t.Context())
				told[i] += n
				failed[i] = errors.Join(failed[i], err)
				if n == 0 {
					idle++
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	running.Wait()
	sum := 0
	for _, n := range told {
		sum += n
	}
	if err := errors.Join(failed...); err != nil {
		t.Errorf("Relay() = %v", err)
	}
	if d.Dialect != writes.SQLite && sum != rows+1 || sum < rows+1 {
		t.Errorf("%v rows were told by %d relays, want %d together", told, relays, rows+1)
	}
	if n := w.rows(); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	all[0].isFresh("after all")
}

// clockSetBack: a row that was due in a minute is due in an hour.
func clockSetBack(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	p := w.start(bunhooks.OutboxOptions{Interval: -1, Grace: time.Minute}, 0)
	w.keep(time.Minute, `["outbox_papers"]`, `{"v":2}`)
	if n := p.relay(); n != 0 {
		t.Errorf("%d rows are told before their grace is over", n)
	}
	w.keep(time.Hour, `["outbox_papers"]`, `{"v":2}`)
	if n := p.relay(); n != 1 {
		t.Errorf("%d rows are told that would wait for an hour, want it", n)
	}
}

func createdAtOnce(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	if d.Dialect == writes.SQLite {
		return // it has one writer at a time
	}
	for round := range 5 {
		o := bunhooks.NewOutbox(bunhooks.OutboxOptions{Table: fmt.Sprint("made_at_once_", round)})
		var running sync.WaitGroup
		failed := make([]error, 6)
		for i := range failed {
			running.Go(func() { failed[i] = o.Create(t.Context(), w.admin) })
		}
		running.Wait()
		if err := errors.Join(failed...); err != nil {
			t.Fatalf("Create() by %d at once = %v", len(failed), err)
		}
	}
}
