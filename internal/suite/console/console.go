package console

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// Run runs the suite.
func Run(t *testing.T, open suite.Open) {
	for name, test := range map[string]func(*testing.T, suite.Open){
		"explains as the program does":                  explains,
		"invalidates by name what the program does":     invalidates,
		"removes exactly what it is told to":            removes,
		"browses in bounded steps and finds all":        browses,
		"browses what a write would make wrong":         browsesWrong,
		"shows values":                                  shows,
		"lists the newest writes first":                 journals,
		"follows what is made wrong":                    follows,
		"lists the processes that publish":              fleets,
		"refuses what it does not know":                 refuses,
		"needs a program that has published":            attaches,
		"knows what a node depends on by its key alone": describes,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

var ticket = uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

// explained are keys of every kind, each with the node whose key it is.
func (w *world) explained() map[string]cacheme.Declaration {
	w.t.Helper()
	nodes := []cacheme.Declaration{
		Book{ID: 7}, Owner{Book: 7}, Shelf{User: 7, Kind: "read: <twice> | *", Sold: true}, Shelf{User: 8, Kind: ""}, Ticket{ID: ticket}, Book{ID: -1},
	}
	get(w, Book{ID: 7}, map[string]int64{"pages": 300})
	get(w, Owner{Book: 7}, "Ann")
	get(w, Shelf{User: 7, Kind: "read: <twice> | *", Sold: true}, []int64{7})
	get(w, Ticket{ID: ticket}, "row 5")
	all := map[string]cacheme.Declaration{}
	for _, n := range nodes {
		key, err := w.KeyOf(n)
		must(w.t, err)
		all[key] = n
	}
	return all
}

// untimed is a reason without how long ago that was, which differs from look to look.
func untimed(reason string) string { return ago.ReplaceAllString(reason, "then") }

var ago = regexp.MustCompile(`just now|\b\w+ ago`)

// explains compares what is said of a key with what is said of its node.
func explains(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	all := w.explained()
	compare := func(when string) {
		for key, node := range all {
			want, err := w.Explain(t.Context(), node)
			must(t, err)
			for who, k := range w.both() {
				got, err := k.Explain(t.Context(), key)
				must(t, err)
				ignored := cmpopts.IgnoreFields(cacheme.Explanation{}, "Now", "Age", "Left", "Kept")
				want.Reason, got.Reason = untimed(want.Reason), untimed(got.Reason)
				if diff := cmp.Diff(want, got, ignored, cmpopts.IgnoreUnexported(cacheme.Explanation{}), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s, %s: Explain(%q) differs from that of the node (-want +got):\n%s", when, who, key, diff)
				}
			}
		}
	}
	compare("fresh")
	must(t, w.Invalidate(t.Context(), BookChanged{ID: 7}))
	compare("after a book changed")
	must(t, w.Invalidate(t.Context(), Shelves{User: 7, Book: 7}))
	compare("after a shelf changed")
}

// invalidates does each thing by name, and sees the same entries fall as by type.
func invalidates(t *testing.T, open suite.Open) {
	for _, c := range []struct {
		name   string // of the last part of the type
		fields map[string]string
		wrong  []string
	}{
		{"BookChanged", map[string]string{"id": "7"}, []string{"book:7", "book:7>owner", "ticket:"}},
		{"AnyBook", nil, []string{"book:7", "book:7>owner", "ticket:"}},
		{"Shelves", map[string]string{"user": "7"}, []string{"shelf:7"}},
		{"Shelves", map[string]string{"user": "7", "book": "9"}, []string{"shelf:7"}},
		{"Shelves", nil, []string{"shelf:7"}},
		{"Mood", map[string]string{"mood": "read: <twice> | *"}, []string{"shelf:7"}},
		{"Owner", nil, []string{"book:7>owner"}},
	} {
		t.Run(fmt.Sprint(c.name, len(c.fields)), func(t *testing.T) {
			for _, who := range []string{"own", "attached"} {
				w := newWorld(t, open(t))
				all := w.explained()
				invalid, err := w.both()[who].Invalid("console."+c.name, c.fields)
				must(t, err)
				impact, err := w.both()[who].Cache().WouldInvalidate(invalid)
				must(t, err)
				must(t, impact.Scan(t.Context(), 100, nil))
				must(t, w.both()[who].Cache().Invalidate(t.Context(), invalid))
				var wrong []string
				for key, node := range all {
					x, err := w.Explain(t.Context(), node)
					must(t, err)
					if x.State == cacheme.StateMadeWrong {
						wrong = append(wrong, key)
					}
				}
				slices.Sort(wrong)
				if !slices.EqualFunc(wrong, c.wrong, strings.HasPrefix) {
					t.Errorf("%s: made wrong %q, want %q", who, wrong, c.wrong)
				}
				if !slices.Equal(impact.Entries, wrong) {
					t.Errorf("%s: the preview said %q, and %q was made wrong", who, impact.Entries, wrong)
				}
			}
		})
	}
}

func removes(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	w.fill(3)
	for who, id := range map[string]string{"own": "0", "attached": "1"} {
		k := w.both()[who]
		key, err := k.Key("console.Owner", map[string]string{"book": id})
		must(t, err)
		if n, err := k.Remove(t.Context(), key); n != 1 || err != nil || key != "book:"+id+">owner" {
			t.Errorf("%s: Remove(%q) = %d, %v, want 1", who, key, n, err)
		}
	}
	if left, _ := w.steps(w.console, cacheme.Look{}); !slices.Equal(left, []string{"book:0", "book:1", "book:2", "book:2>owner"}) {
		t.Errorf("left are %q", left)
	}
}

func shows(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	get(w, Book{ID: 7}, map[string]int64{"pages": 300})
	for who, want := range map[string]cacheme.Value{
		"own":      {Text: "{\n  \"pages\": 300\n}", Bytes: 10, Exact: true},
		"attached": {Text: `{"pages": 300}`, Bytes: 10},
	} {
		got, err := w.both()[who].Value(t.Context(), "book:7")
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Value() (-want +got):\n%s", who, diff)
		}
	}
}

func journals(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	// Each other request is long under way, which makes Redis's clock seem to be ahead until the next one.
	var slow atomic.Bool
	w.rdb.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		if slow.Load() {
			time.Sleep(40 * time.Millisecond)
		}
		return send(trip.Cmds...)
	}})
	for i := range 5 {
		slow.Store(i%2 == 0)
		must(t, w.Invalidate(t.Context(), cacheme.By(cacheme.Write{Operation: "UPDATE", Table: fmt.Sprint("table", i)}), BookChanged{ID: 1}))
	}
	got, err := w.other.Journal(t.Context(), 3)
	must(t, err)
	var tables []string
	for _, write := range got {
		tables = append(tables, write.Table)
	}
	if !slices.Equal(tables, []string{"table4", "table3", "table2"}) {
		t.Errorf("Journal(3) = %q", tables)
	}
}

func fleets(t *testing.T, open suite.Open) {
	server := open(t)
	w := newWorld(t, server)
	second, err := cacheme.New(server.Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: w.Prefix()}))
	must(t, err)
	must(t, second.Register(Book{}, BookChanged{}))
	get(w, Book{ID: 7}, map[string]int64{})
	get(w, Book{ID: 7}, map[string]int64{})
	must(t, second.Publish(t.Context()))
	must(t, w.Publish(t.Context()))
	fleet, err := w.other.Fleet(t.Context())
	must(t, err)
	if len(fleet) != 2 {
		t.Fatalf("Fleet() has %d caches, want 2: %+v", len(fleet), fleet)
	}
	at := slices.IndexFunc(fleet, func(p cacheme.Process) bool { return p.Stats.Loads == 1 })
	if at < 0 || fleet[at].Nodes["console.Book"].Hits != 1 || !fleet[at].Enabled {
		t.Errorf("Fleet() = %+v, want one with a load and a hit of console.Book", fleet)
	}
	get(w, Book{ID: 8}, map[string]int64{})
	for who, want := range map[string]uint64{"own": 2, "attached": 1} {
		fleet, err := w.both()[who].Fleet(t.Context())
		must(t, err)
		if !slices.ContainsFunc(fleet, func(p cacheme.Process) bool { return p.Stats.Loads == want }) {
			t.Errorf("%s: Fleet() = %+v, want one with %d loads: a process knows its own at once", who, fleet, want)
		}
	}
	must(t, second.Close(t.Context()))
	if fleet, err = w.other.Fleet(t.Context()); len(fleet) != 1 || err != nil {
		t.Errorf("Fleet() = %d caches, %v, once one was closed; want 1", len(fleet), err)
	}
}
