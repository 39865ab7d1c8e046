package cacheme_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cacheme/cacheme"
)

// What makes what wrong, as a flowchart for a README: the dashed arrow is known only once a playlist has been loaded.
func ExampleCache_Graph() {
	cache, end := openCache()
	defer end()

	g, err := cache.Graph(cacheme.GraphOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g.Mermaid())
	// Output:
	// flowchart LR
	//   a0[("likeds")]
	//   a1[("songs")]
	//   b0(["cacheme_test.Likes<br/>listener:#lt;listener#gt;:song:#lt;song#gt;"])
	//   b1(["cacheme_test.SongChanged<br/>song:#lt;id#gt;"])
	//   c0["cacheme_test.Playlist<br/>listener:#lt;listener#gt;:playlist"]
	//   c1["cacheme_test.SongPage<br/>song:#lt;id#gt;"]
	//   b0 --> c0
	//   b1 -.-> c0
	//   b1 --> c1
	//   a0 --> b0
	//   a1 --> b1
}

// The same as data, with what each node has been asked for.
func ExampleGraph_live() {
	cache, end := openCache()
	defer end()
	ctx, db := context.Background(), newCatalogue()
	for range 4 {
		if _, err := cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong); err != nil {
			fmt.Println(err)
		}
	}

	g, err := cache.Graph(cacheme.GraphOptions{Live: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, node := range g.Nodes {
		fmt.Println(node.Name, node.Key, "hits:", node.Stats.Hits, "misses:", node.Stats.Misses)
	}
	arrow, err := json.Marshal(g.Arrows[2])
	fmt.Println(string(arrow), err)
	// Output:
	// cacheme_test.Playlist listener:<listener>:playlist hits: 0 misses: 0
	// cacheme_test.SongPage song:<id> hits: 3 misses: 1
	// {"from":"invalid:github.com/cacheme/cacheme_test.SongChanged","to":"node:github.com/cacheme/cacheme_test.SongPage","how":"declared"} <nil>
}

// Somebody writes past everything that watches the database. A share of the hits is compared with what their loaders give,
// and tells.
func ExampleVerifyOptions() {
	rdb, closeRedis := openRedis()
	defer closeRedis()
	told := make(chan cacheme.Event, 1)
	cache, err := cacheme.New(rdb, cacheme.Options{
		Budget: time.Second,
		Verify: cacheme.VerifyOptions{Share: 1, Settle: time.Millisecond}, // in production: one hit of a thousand, and the second that is the default
		Observer: func(_ context.Context, e cacheme.Event) {
			if e.Kind == cacheme.EventVerified || e.Kind == cacheme.EventViolation {
				told <- e
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close(context.Background())
	cache.MustRegister(SongPage{}, SongChanged{})
	cacheme.SetDefault(cache)
	ctx, db := context.Background(), newCatalogue()
	ask := func() {
		if _, err := cacheme.Get(ctx, SongPage{ID: 1}, db.LoadSong); err != nil {
			fmt.Println(err)
		}
	}

	ask() // loads
	ask() // a hit
	fmt.Println((<-told).Kind)

	db.songs[1] = Song{1, "All Blues", 5} // and nobody tells the cache
	ask()
	e := <-told
	fmt.Println(e.Kind, e.Node, e.Reason)
	s := cache.Stats()
	fmt.Println("verified:", s.Verified, "violations:", s.Violations)
	// Output:
	// verified
	// violation cacheme_test.SongPage .Title differs (string)
	// verified: 1 violations: 1
}
