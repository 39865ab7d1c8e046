package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cacheme/cacheme"
)

// A service makes one cache at start-up, on the Redis client that it has anyway, and declares what it caches.
func Example() {
	rdb, closeRedis := openRedis()
	defer closeRedis()

	cache, err := cacheme.New(rdb, cacheme.Options{Prefix: "music:", Budget: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close(context.Background())
	if err := cache.Register(Playlist{}, SongChanged{}, Likes{}); err != nil {
		fmt.Println(err)
		return
	}
	cacheme.SetDefault(cache)

	ctx, db := context.Background(), newCatalogue()
	songs, err := cacheme.Get(ctx, Playlist{Listener: 7}, db.LoadPlaylist)
	fmt.Println(titles(songs), err)
	// Output: [Blue in Green So What] <nil>
}

func ExampleGet() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 3 {
		page, err := cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
		fmt.Println(page.Title, err, "queries:", db.queries)
	}
	// Output:
	// Blue in Green <nil> queries: 1
	// Blue in Green <nil> queries: 1
	// Blue in Green <nil> queries: 1
}

// "Not found" is cached where the node says for how long, and both ways to say it are understood.
func ExampleGet_notFound() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 2 {
		_, err := cacheme.Get(ctx, SongPage{ID: 99}, db.LoadSong)
		fmt.Println(errors.Is(err, cacheme.ErrNotFound), "queries:", db.queries)
	}
	// Output:
	// true queries: 1
	// true queries: 1
}

func ExampleGetFrom() {
	cache, end := openCache()
	defer end()
	db := newCatalogue()

	page, err := cacheme.GetFrom(context.Background(), cache, SongPage{ID: 2}, db.LoadSong)
	fmt.Println(page.Title, err)
	// Output: So What <nil>
}

func ExampleGetResult() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 2 {
		r, err := cacheme.GetResult(ctx, SongPage{ID: 1}, db.LoadSong)
		fmt.Println(r.Value.Title, "from", r.Tier, "stale:", r.Stale, err)
	}
	// Output:
	// Blue in Green from source stale: false <nil>
	// Blue in Green from redis stale: false <nil>
}

// Many nodes cost one round trip, and one call of the loader for those that are missing.
func ExampleGetMany() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	pages := []SongPage{{ID: 2}, {ID: 1}, {ID: 99}}
	songs, err := cacheme.GetMany(ctx, pages, db.LoadSongs)
	fmt.Println(titles(songs[:2]), "queries:", db.queries)

	if missing, ok := errors.AsType[*cacheme.MissingError](err); ok {
		fmt.Println("not found:", pages[missing.Indexes[0]].ID)
	}
	// Output:
	// [So What Blue in Green] queries: 1
	// not found: 99
}

func ExampleGetManyFrom() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 2 {
		songs, err := cacheme.GetManyFrom(ctx, cache, []SongPage{{ID: 1}, {ID: 2}}, db.LoadSongs)
		fmt.Println(titles(songs), err, "queries:", db.queries)
	}
	// Output:
	// [Blue in Green So What] <nil> queries: 1
	// [Blue in Green So What] <nil> queries: 1
}

func ExampleBind() {
	cache, end := openCache()
	defer end()
	db := newCatalogue()

	pages, err := cacheme.Bind(cache, db.LoadSong)
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := pages.Get(context.Background(), SongPage{ID: 1})
	fmt.Println(page.Title, err)
	// Output: Blue in Green <nil>
}

func ExamplePeek() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	_, err := cacheme.Peek(ctx, SongPage{ID: 1})
	fmt.Println(errors.Is(err, cacheme.ErrNoEntry))

	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	r, err := cacheme.Peek(ctx, SongPage{ID: 1})
	fmt.Println(r.Value.Title, err)
	// Output:
	// true
	// Blue in Green <nil>
}

func ExampleSet() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	fmt.Println(cacheme.Set(ctx, SongPage{ID: 1}, Song{ID: 1, Title: "just inserted"}))
	page, err := cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	fmt.Println(page.Title, err, "queries:", db.queries)
	// Output:
	// <nil>
	// just inserted <nil> queries: 0
}

func ExampleRefresh() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	page, err := cacheme.Refresh(ctx, SongPage{ID: 1}, db.LoadSong)
	fmt.Println(page.Title, err, "queries:", db.queries)
	// Output: Blue in Green <nil> queries: 2
}

func ExampleBypass() {
	_, end := openCache()
	defer end()
	db := newCatalogue()

	ctx := cacheme.Bypass(context.Background())
	for range 2 {
		cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	}
	fmt.Println("queries:", db.queries)
	// Output: queries: 2
}

func ExampleTTL() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for _, ttl := range []time.Duration{0, time.Minute, time.Minute} {
		cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong, cacheme.TTL(ttl))
		fmt.Println("queries:", db.queries)
	}
	// Output:
	// queries: 1
	// queries: 2
	// queries: 2
}

// Another process writes. While one caller reloads, the others get the old value at once, but for those that say they
// must not.
func ExampleStale() {
	rdb, closeRedis := openRedis()
	defer closeRedis()
	process := func() *cacheme.Cache {
		cache, _ := cacheme.New(rdb, cacheme.Options{Budget: time.Second})
		cache.MustRegister(SongPage{}, SongChanged{})
		return cache
	}
	cache, writer := process(), process()
	defer cache.Close(context.Background())
	defer writer.Close(context.Background())
	ctx, db := context.Background(), newCatalogue()
	cacheme.GetFrom(ctx, cache, SongPage{ID: 1}, db.LoadSong)

	db.songs[1] = Song{ID: 1, Title: "Blue in Green (alternate take)"}
	fmt.Println(writer.Invalidate(ctx, SongChanged{ID: 1}))

	loading, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	slow, _ := cacheme.Bind(cache, func(ctx context.Context, p SongPage) (Song, error) {
		close(loading)
		<-release
		return db.LoadSong(ctx, p)
	})
	go func() {
		defer close(done)
		slow.Get(ctx, SongPage{ID: 1})
	}()
	<-loading
	old, err := slow.GetResult(ctx, SongPage{ID: 1})
	fmt.Println(old.Value.Title, "stale:", old.Stale, err)

	// Who must not have it waits for the load.
	waits := cacheme.OnMiss(func(context.Context, string) { close(release) })
	now, err := slow.GetResult(ctx, SongPage{ID: 1}, cacheme.Stale(-1), waits)
	fmt.Println(now.Value.Title, "stale:", now.Stale, err)
	<-done
	// Output:
	// <nil>
	// Blue in Green stale: true <nil>
	// Blue in Green (alternate take) stale: false <nil>
}

func ExampleOnHit() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	hit := cacheme.OnHit(func(_ context.Context, key string, value any) { fmt.Println("hit", key, value.(Song).Title) })
	for range 2 {
		cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong, hit)
	}
	// Output: hit song:1 Blue in Green
}

func ExampleOnMiss() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	miss := cacheme.OnMiss(func(_ context.Context, key string) { fmt.Println("miss", key) })
	for range 2 {
		cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong, miss)
	}
	// Output: miss song:1
}

// One write makes wrong what depends on it, and nothing else.
func ExampleInvalidate() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()
	read := func(what string) {
		for _, listener := range []int64{7, 8} {
			songs, _ := cacheme.Get(ctx, Playlist{Listener: listener}, db.LoadPlaylist)
			fmt.Println(what, listener, titles(songs))
		}
	}
	db.likes[8] = []int64{1}
	read("before:")

	db.likes[7] = []int64{2}
	if err := cacheme.Invalidate(ctx, Likes{Listener: 7, Song: 1}); err != nil {
		fmt.Println(err)
	}
	read("after: ")
	// Output:
	// before: 7 [Blue in Green So What]
	// before: 8 [Blue in Green]
	// after:  7 [So What]
	// after:  8 [Blue in Green]
}

// A Hold spans the COMMIT, so that a process that is killed in between costs a load and never an old value.
func ExampleCache_Hold() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)

	hold, err := cache.Hold(ctx, SongChanged{ID: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	db.songs[1] = Song{ID: 1, Title: "Blue in Green (alternate take)"} // tx.Commit()
	fmt.Println(hold.End(ctx, nil))

	page, err := cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	fmt.Println(page.Title, err)
	// Output:
	// <nil>
	// Blue in Green (alternate take) <nil>
}

// A rollback makes nothing wrong.
func ExampleHold_Rollback() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)

	hold, err := cache.Hold(ctx, SongChanged{ID: 1})
	fmt.Println(err)
	fmt.Println(hold.Rollback(ctx))
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	fmt.Println("queries:", db.queries)
	// Output:
	// <nil>
	// <nil>
	// queries: 1
}

func ExampleClass() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 2 {
		cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
		cacheme.Get(ctx, SongPage{ID: 2}, db.LoadSong)
		cacheme.Invalidate(ctx, cacheme.Class[SongPage]())
	}
	fmt.Println("queries:", db.queries)
	// Output: queries: 4
}

// Row tells a write by its columns, whatever the nodes that depend on it: here a listener likes another song.
func ExampleRow() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 2 {
		songs, err := cacheme.Get(ctx, Playlist{Listener: 7}, db.LoadPlaylist)
		fmt.Println(titles(songs), err)

		db.likes[7] = []int64{2}
		err = cache.Invalidate(ctx, cacheme.Row("likeds", []string{"listener_id", "song_id"}, 7, 1))
		fmt.Println("one like less", err)
	}
	// Output:
	// [Blue in Green So What] <nil>
	// one like less <nil>
	// [So What] <nil>
	// one like less <nil>
}

// A loader whose value is right for a moment only keeps it out of the cache.
func ExampleDoNotStore() {
	_, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	charts := false // the service that knows the titles in the charts is down
	load := func(ctx context.Context, p SongPage) (Song, error) {
		song, err := db.LoadSong(ctx, p)
		if !charts {
			cacheme.DoNotStore(ctx, "made without the charts")
		}
		return song, err
	}
	for range 3 {
		_, err := cacheme.Get(ctx, SongPage{ID: 1}, load)
		fmt.Println("queries:", db.queries, err)
		charts = true
	}
	// Output:
	// queries: 1 <nil>
	// queries: 2 <nil>
	// queries: 2 <nil>
}

func ExampleCache_Watched() {
	cache, end := openCache()
	defer end()

	for _, w := range cache.Watched() {
		fmt.Println(w.Table, w.Columns, w.Node)
	}
	// Output:
	// likeds [listener_id song_id] cacheme_test.Likes
	// songs [id] cacheme_test.SongChanged
}

func ExampleOf() {
	cache, end := openCache()
	defer end()

	for _, from := range []any{Song{ID: 7}, &Song{ID: 7}, 7, "7"} {
		node, err := cacheme.Of[SongChanged](from)
		key, _ := cache.KeyOf(node)
		fmt.Println(key, err)
	}
	_, err := cacheme.Of[SongChanged](Song{Title: "not saved"})
	fmt.Println(err)
	// Output:
	// song:7 <nil>
	// song:7 <nil>
	// song:7 <nil>
	// song:7 <nil>
	// cacheme: cacheme_test.SongChanged.ID: is zero in this cacheme_test.Song: save the row first
}

func ExampleMustOf() {
	cache, end := openCache()
	defer end()

	saved := Liked{ListenerID: 7, SongID: 2}
	key, err := cache.KeyOf(cacheme.MustOf[Likes](saved))
	fmt.Println(key, err)
	// Output: listener:7:song:2 <nil>
}

func ExampleCache_KeyOf() {
	cache, end := openCache()
	defer end()

	for _, d := range []cacheme.Declaration{Playlist{Listener: 7}, Likes{Listener: 7}, Likes{Song: 2}, Likes{Listener: 7, Song: 2}} {
		key, err := cache.KeyOf(d)
		fmt.Println(key, err)
	}
	// Output:
	// listener:7:playlist <nil>
	// listener:7:song:all <nil>
	// listener:all:song:2 <nil>
	// listener:7:song:2 <nil>
}

func ExampleCache_Remove() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	fmt.Println(cache.Remove(ctx, SongPage{ID: 1}))
	_, err := cacheme.Peek(ctx, SongPage{ID: 1})
	fmt.Println(err)
	// Output:
	// <nil>
	// cacheme: peek song:1: cacheme: no entry
}

func ExampleCache_RemovePattern() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	cacheme.Get(ctx, SongPage{ID: 2}, db.LoadSong)
	cacheme.Get(ctx, Playlist{Listener: 8}, db.LoadPlaylist)
	fmt.Println(cache.RemovePattern(ctx, "song:*"))
	// Output: 2 <nil>
}

func ExampleCache_Keys() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	cacheme.Get(ctx, SongPage{ID: 2}, db.LoadSong)
	var keys []string
	for key, err := range cache.Keys(ctx, SongPage{}) {
		if err != nil {
			fmt.Println(err)
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	fmt.Println(keys)
	// Output: [song:1 song:2]
}

func ExampleCache_Count() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.GetMany(ctx, []SongPage{{ID: 1}, {ID: 2}}, db.LoadSongs)
	cacheme.Get(ctx, Playlist{Listener: 8}, db.LoadPlaylist)
	fmt.Println(cache.Count(ctx, SongPage{}))
	// Output: 2 <nil>
}

func ExampleCache_Stats() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	for range 3 {
		cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	}
	cacheme.Get(ctx, Playlist{Listener: 7}, db.LoadPlaylist)
	all, pages := cache.Stats(), cache.StatsOf(SongPage{})
	fmt.Println("all:  ", all.Hits, "hits,", all.Misses, "misses,", all.Loads, "loads")
	fmt.Println("pages:", pages.Hits, "hits,", pages.Misses, "misses,", pages.Loads, "loads")
	// Output:
	// all:   2 hits, 2 misses, 2 loads
	// pages: 2 hits, 1 misses, 1 loads
}

func ExampleCache_Nodes() {
	cache, end := openCache()
	defer end()

	for _, n := range cache.Nodes() {
		fmt.Println(n.Node, n.Key, n.Meta.TTL)
	}
	// Output:
	// cacheme_test.Playlist listener:<listener>:playlist 10m0s
	// cacheme_test.SongPage song:<id> 1h0m0s
}

// A plain function is memoised without a type of its own.
func ExampleMemo() {
	cache, end := openCache()
	defer end()
	calls := 0
	count := func(_ context.Context, band int64) (int, error) {
		calls++
		return 12, nil
	}

	songsOf, err := cacheme.Memo(cache, cacheme.Memoized[int64, int]{
		Meta:         cacheme.Meta{Key: "band:<band>:songs", TTL: time.Minute},
		Values:       func(band int64) []any { return []any{band} },
		InvalidNodes: func(int64) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Table("songs")} },
		Tags:         []string{"statistics"},
	}, count)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for range 3 {
		songsOf.Get(ctx, 5)
	}
	fmt.Println("calls:", calls)
	cacheme.Invalidate(ctx, cacheme.Tag("statistics"))
	songsOf.Get(ctx, 5)
	fmt.Println("calls:", calls)
	// Output:
	// calls: 1
	// calls: 2
}

// All mistakes of a declaration are told at once, each with what to write instead.
func ExampleCache_Register() {
	rdb, closeRedis := openRedis()
	defer closeRedis()
	cache, _ := cacheme.New(rdb, cacheme.Options{})
	defer cache.Close(context.Background())

	fmt.Println(cache.Register(Misspelt{}))
	// Output:
	// cacheme: cacheme_test.Misspelt.Key: "band:<bnad>" has the hole <bnad> and no field for it; add a field tagged `cacheme:"field,name=bnad"` or take the hole out
	// cacheme: cacheme_test.Misspelt.Band: has no hole in the key "band:<bnad>", so that values with different Band would share it; add <band>
}

// Misspelt is a node with a mistake in its key.
type Misspelt struct {
	cacheme.Node[string]
	Band int64 `cacheme:"field"`
}

func (Misspelt) Meta() cacheme.Meta { return cacheme.Meta{Key: "band:<bnad>"} }

func ExampleOptions_observer() {
	rdb, closeRedis := openRedis()
	defer closeRedis()
	cache, _ := cacheme.New(rdb, cacheme.Options{
		Budget:   time.Second,
		Observer: func(_ context.Context, e cacheme.Event) { fmt.Println(e.Kind, e.Node) },
	})
	defer cache.Close(context.Background())
	cache.MustRegister(SongPage{}, SongChanged{})
	db := newCatalogue()

	for range 2 {
		cacheme.GetFrom(context.Background(), cache, SongPage{ID: 1}, db.LoadSong)
	}
	// Output:
	// load cacheme_test.SongPage
	// miss cacheme_test.SongPage
	// hit cacheme_test.SongPage
}

func ExampleCache_Disable() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cache.Disable()
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	cache.Enable()
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	fmt.Println("queries:", db.queries)
	// Output: queries: 3
}

// After Close reads go to the loader, and writes say that they cannot be told any more. The Redis client stays open.
func ExampleCache_Close() {
	rdb, closeRedis := openRedis()
	defer closeRedis()
	cache, _ := cacheme.New(rdb, cacheme.Options{})
	cache.MustRegister(SongPage{}, SongChanged{})
	db := newCatalogue()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // for what is under way
	defer cancel()
	fmt.Println(cache.Close(ctx))

	page, err := cacheme.GetFrom(ctx, cache, SongPage{ID: 1}, db.LoadSong)
	fmt.Println(page.Title, err)
	fmt.Println(cache.Invalidate(ctx, SongChanged{ID: 1}))
	fmt.Println(rdb.Ping(ctx).Err())
	// Output:
	// <nil>
	// Blue in Green <nil>
	// cacheme: the cache is closed
	// <nil>
}
