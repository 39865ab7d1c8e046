package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// watcher collects events of one kind.
type watcher struct {
	mu     sync.Mutex
	events []cacheme.Event
}

func (w *watcher) observe(_ context.Context, e cacheme.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// of returns the events of a kind since it was asked last.
func (w *watcher) of(kind cacheme.EventKind) (found []cacheme.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	w.events = nil
	return found
}

func plantedEntries(t *testing.T, open suite.Open) {
	ctx := context.Background()
	w := &watcher{}
	p := start(t, open(t), cacheme.Options{Observer: w.observe})
	const entry = "CM:{title:1}"
	title := func(value string) cacheme.Result[string] { return result(p, Title{Book: 1}, constant[Title](value)) }
	title("good")
	good, err := p.rdb.Get(ctx, entry).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	corrupted := bytes.Clone(good)
	corrupted[len(corrupted)/2] ^= 0x40
	later := bytes.Clone(good)
	later[2]++ // the version of the format
	for name, plant := range map[string]func() error{
		"a pickle that runs a command": func() error {
			return p.rdb.Set(ctx, entry, "cos\nsystem\n(S'touch /tmp/pwned'\ntR.", 0).Err()
		},
		"nothing":          func() error { return p.rdb.Set(ctx, entry, "", 0).Err() },
		"text":             func() error { return p.rdb.Set(ctx, entry, "good", 0).Err() },
		"a flipped bit":    func() error { return p.rdb.Set(ctx, entry, corrupted, 0).Err() },
		"half an entry":    func() error { return p.rdb.Set(ctx, entry, good[:len(good)/2], 0).Err() },
		"a later format":   func() error { return p.rdb.Set(ctx, entry, later, 0).Err() },
		"a long tail":      func() error { return p.rdb.Set(ctx, entry, append(good, make([]byte, 1<<20)...), 0).Err() },
		"a hash of theirs": func() error { p.rdb.Del(ctx, entry); return p.rdb.HSet(ctx, entry, "base", "good").Err() },
		"a set":            func() error { p.rdb.Del(ctx, entry); return p.rdb.SAdd(ctx, entry, "good").Err() },
	} {
		if err := plant(); err != nil {
			t.Fatal(err)
		}
		w.of(cacheme.EventGarbage)
		r := title("loaded")
		want(t, name+": value", fmt.Sprint(r.Value, " ", r.Tier), "loaded source")
		if events := w.of(cacheme.EventGarbage); len(events) == 0 || events[0].Err == nil || events[0].Key != "title:1" {
			t.Errorf("%s: garbage events = %+v, want one that says what was found where", name, events)
		}
		r = title("?")
		want(t, name+": afterwards", fmt.Sprint(r.Value, " ", r.Tier), "loaded redis")
	}
	if p.StatsOf(Title{}).Garbage < 9 {
		t.Errorf("StatsOf(Title).Garbage = %d, want at least 9", p.StatsOf(Title{}).Garbage)
	}
}

// mixedFleet runs two releases of the shop side by side, and two settings of compression.
func mixedFleet(t *testing.T, open suite.Open) {
	server := open(t)
	long := strings.Repeat("It is a truth universally acknowledged. ", 200)
	plain := start(t, server, cacheme.Options{})
	small := start(t, server, cacheme.Options{Compress: true, CompressOver: 100})

	get(plain, Title{Book: 1}, constant[Title](long))
	get(small, Title{Book: 2}, constant[Title](long))
	for _, p := range []*process{plain, small} {
		for book := range int64(2) {
			r := result(p, Title{Book: book + 1}, constant[Title]("?"))
			want(t, fmt.Sprintf("book %d", book+1), r.Value == long && r.Tier == cacheme.TierRedis, true)
		}
	}
	size := func(key string) int64 { return plain.rdb.StrLen(context.Background(), key).Val() }
	if size("CM:{title:2}")*4 > size("CM:{title:1}") {
		t.Errorf("compressed %d bytes, plain %d", size("CM:{title:2}"), size("CM:{title:1}"))
	}

	// The same key, another type and another version of it: each release loads its own and no one fails.
	w := &watcher{}
	before := release(t, server, w, profileV1{})
	after := release(t, server, w, profileV2{})
	newest := release(t, server, w, profileV3{})
	for range 3 {
		want(t, "the old release", get(before, profileV1{ID: 1}, constant[profileV1]("Ann")), "Ann")
		want(t, "the new release", get(after, profileV2{ID: 1}, func(context.Context, profileV2) (User, error) { return User{Name: "Ann"}, nil }), User{Name: "Ann"})
		want(t, "the newest release", get(newest, profileV3{ID: 1}, constant[profileV3]("ANN")), "ANN")
	}
	if events := w.of(cacheme.EventForeign); len(events) < 8 || events[0].Reason == "" {
		t.Errorf("foreign events = %+v, want one for each read after the first, with a reason", events)
	}
	want(t, "garbage", before.Stats().Garbage+after.Stats().Garbage, 0)
	want(t, "errors", before.Stats().Errors+after.Stats().Errors, 0)
	// When the old ones are gone the key settles.
	get(newest, profileV3{ID: 1}, constant[profileV3]("ANN"))
	want(t, "the newest release alone", result(newest, profileV3{ID: 1}, constant[profileV3]("?")).Tier, cacheme.TierRedis)
}

func release(t *testing.T, server suite.Server, w *watcher, node cacheme.Declaration) *process {
	rdb := server.Client(suite.PatientClient)
	return &process{t: t, rdb: rdb, Cache: suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Observer: w.observe}), node)}
}

// One node in three releases: its type changes, then what its text means.
type (
	profileV1 struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	profileV2 struct {
		cacheme.Node[User]
		ID int64 `cacheme:"field"`
	}
	profileV3 struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
)

func (profileV1) Meta() cacheme.Meta { return cacheme.Meta{Key: "profile:<id>"} }
func (profileV2) Meta() cacheme.Meta { return cacheme.Meta{Key: "profile:<id>"} }
func (profileV3) Meta() cacheme.Meta { return cacheme.Meta{Key: "profile:<id>", Version: 3} }
