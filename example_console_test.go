package cacheme_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cacheme/cacheme"
)

// A tool that has none of the program's types says why a page is old, and clears what depends on one song.
func ExampleAttach() {
	ctx := context.Background()
	rdb, closeRedis := openRedis()
	defer closeRedis()
	cache, end := openCacheOn(rdb)
	defer end()
	if err := cache.Publish(ctx); err != nil {
		fmt.Println(err)
	}
	if _, err := cacheme.Get(ctx, SongPage{ID: 1}, newCatalogue().LoadSong); err != nil {
		fmt.Println(err)
	}

	// ... in another program:
	tool, err := cacheme.Attach(ctx, rdb, cacheme.Options{Budget: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	changed, err := tool.Invalid("cacheme_test.SongChanged", map[string]string{"id": "1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tool.Cache().Invalidate(ctx, changed); err != nil {
		fmt.Println(err)
	}
	x, err := tool.Explain(ctx, "song:1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Key, "is", x.State)
	if err := tool.Cache().Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: song:1 is made wrong
}
