package cacheme_test

import (
	"context"
	"fmt"

	"github.com/cacheme/cacheme"
)

// Explain tells what became of an entry and which write did it. It loads nothing, and counts as no hit.
func ExampleExplain() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	x, err := cacheme.Explain(ctx, SongPage{ID: 1})
	fmt.Println(x.State, err)

	// Written by somebody whom bunhooks does not see, and told by hand.
	cache.Invalidate(ctx, cacheme.By(cacheme.Write{Operation: "import", Table: "songs", Rows: []string{"1"}, Caller: "erp/import.go:7"}), SongChanged{ID: 1})
	x, err = cacheme.Explain(ctx, SongPage{ID: 1})
	fmt.Println(x.State, err)
	fmt.Println(x.Reason)
	fmt.Println(x.Next, "- queries:", db.queries)
	// Output:
	// fresh <nil>
	// made wrong <nil>
	// row:song:1: import songs row 1 at erp/import.go:7, just now
	// a Get loads it - queries: 1
}

// Every dependency is there, with the write behind it, as a struct, as text and as JSON.
func ExampleCache_Explain() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()

	cacheme.Get(ctx, SongPage{ID: 2}, db.LoadSong)
	hold, _ := cache.Hold(ctx, SongChanged{ID: 2}) // a transaction is open
	x, err := cache.Explain(ctx, SongPage{ID: 2})
	fmt.Println(x.State, err)
	for _, d := range x.Dependencies[1:] {
		fmt.Println(d.Name, "held:", d.Held, "equal:", d.Equal, "-", d.Note)
	}
	hold.Rollback(ctx)
	x, _ = cache.Explain(ctx, SongPage{ID: 2})
	fmt.Println(x.State)
	// Output:
	// held <nil>
	// row:song:2 held: true equal: false - not written since its token was made
	// table:songs held: false equal: true - not written since its token was made
	// fresh
}

// WouldInvalidate is a dry run. Scan looks for the live entries.
func ExampleCache_WouldInvalidate() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()
	cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong)
	cacheme.Get(ctx, SongPage{ID: 2}, db.LoadSong)
	cacheme.Get(ctx, Playlist{Listener: 7}, db.LoadPlaylist)

	impact, err := cache.WouldInvalidate(SongChanged{ID: 1})
	fmt.Println(impact.Dependencies, err)
	for _, n := range impact.Nodes {
		fmt.Println(n.Key, "by", n.Via)
	}
	err = impact.Scan(ctx, 10_000, nil)
	fmt.Println(impact.Entries, impact.Found, "of", impact.Scanned, err)
	// Output:
	// [row:song:1 rows:songs] <nil>
	// listener:<listener>:playlist by [cacheme_test.SongChanged]
	// song:<id> by [cacheme_test.SongChanged]
	// [listener:7:playlist song:1] 2 of 3 <nil>
}
