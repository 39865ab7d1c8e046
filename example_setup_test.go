package cacheme_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

// The models of the examples.
type (
	Song struct {
		ID    int64 `bun:",pk"`
		Title string
		Band  int64
	}
	Listener struct {
		ID int64 `bun:",pk"`
	}
	Liked struct { // who likes what
		ListenerID int64     `bun:",pk"`
		Listener   *Listener `bun:"rel:belongs-to,join:listener_id=id"`
		SongID     int64     `bun:",pk"`
		Song       *Song     `bun:"rel:belongs-to,join:song_id=id"`
	}
)

// Playlist is what a listener likes.
type Playlist struct {
	cacheme.Node[[]Song]
	Listener int64 `cacheme:"field"`
}

func (Playlist) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "listener:<listener>:playlist", TTL: 10 * time.Minute}
}

// InvalidNodes makes a playlist wrong when a row of its listener comes or goes in the join table.
func (p Playlist) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Likes{Listener: p.Listener}}
}

// ResultInvalidNodes makes a playlist wrong when one of the songs in it changes.
func (p Playlist) ResultInvalidNodes(songs []Song) (nodes []cacheme.Invalid) {
	for _, s := range songs {
		nodes = append(nodes, SongChanged{ID: s.ID})
	}
	return nodes
}

// SongChanged is one row of the songs.
type SongChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (SongChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Song)(nil)} }

// Likes is a row of the join table, or with one side left open all rows of the other.
type Likes struct {
	cacheme.ModelInvalidNode
	Listener int64 `cacheme:"field"`
	Song     int64 `cacheme:"field"`
}

func (Likes) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Liked)(nil), M2M: true} }

// SongPage is a song, or the knowledge that there is none.
type SongPage struct {
	cacheme.Node[Song]
	ID int64 `cacheme:"field"`
}

func (SongPage) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "song:<id>", TTL: time.Hour, Stale: time.Minute, Negative: time.Minute}
}

// InvalidNodes makes a page wrong when its row is written.
func (p SongPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{SongChanged{ID: p.ID}} }

// catalogue stands in for the database of the examples and counts its queries.
type catalogue struct {
	songs   map[int64]Song
	likes   map[int64][]int64
	queries int
}

func newCatalogue() *catalogue {
	return &catalogue{
		songs: map[int64]Song{1: {1, "Blue in Green", 5}, 2: {2, "So What", 5}},
		likes: map[int64][]int64{7: {1, 2}},
	}
}

func (c *catalogue) LoadPlaylist(_ context.Context, p Playlist) ([]Song, error) {
	c.queries++
	songs := []Song{}
	for _, id := range c.likes[p.Listener] {
		songs = append(songs, c.songs[id])
	}
	return songs, nil
}

func (c *catalogue) LoadSong(_ context.Context, p SongPage) (Song, error) {
	c.queries++
	song, ok := c.songs[p.ID]
	if !ok {
		return Song{}, sql.ErrNoRows
	}
	return song, nil
}

// LoadSongs loads many at once; what it leaves out is not found.
func (c *catalogue) LoadSongs(_ context.Context, pages []SongPage) (map[SongPage]Song, error) {
	c.queries++
	found := map[SongPage]Song{}
	for _, p := range pages {
		if song, ok := c.songs[p.ID]; ok {
			found[p] = song
		}
	}
	return found, nil
}

// openRedis gives an example a Redis of its own.
func openRedis() (redis.UniversalClient, func()) {
	server, err := embedded.Start(embedded.Options{})
	if err != nil {
		panic(err)
	}
	return server.Client(), server.Close
}

// openCache is what most examples begin with. A service does this once, at start-up, with its own Redis client.
func openCache() (cache *cacheme.Cache, end func()) {
	rdb, closeRedis := openRedis()
	cache, closeCache := openCacheOn(rdb)
	return cache, func() {
		closeCache()
		closeRedis()
	}
}

// openCacheOn is openCache on a Redis that is there.
func openCacheOn(rdb redis.UniversalClient) (cache *cacheme.Cache, end func()) {
	cache, err := cacheme.New(rdb, cacheme.Options{Budget: time.Second}) // a busy machine must not turn hits into loads
	if err != nil {
		panic(err)
	}
	cache.MustRegister(Playlist{}, SongPage{}, SongChanged{}, Likes{})
	cacheme.SetDefault(cache)
	return cache, func() {
		if err := cache.Close(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
}

func titles(songs []Song) (list []string) {
	for _, s := range songs {
		list = append(list, s.Title)
	}
	return list
}
