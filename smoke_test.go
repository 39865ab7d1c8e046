package cacheme_test

import (
	"context"
	"testing"
	"time"
	"fmt"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

type book struct {
	ID     int64 `bun:"id,pk,autoincrement"`
	Title  string
	AuthorID int64
}
type userBook struct {
	UserID int64 `bun:",pk"`
	User *user `bun:"rel:belongs-to,join:user_id=id"`
	BookID int64 `bun:",pk"`
	Book *book `bun:"rel:belongs-to,join:book_id=id"`
}
type user struct { ID int64 `bun:",pk"` }

type Shelf struct {
	cacheme.Node[[]book]
	User int64 `cacheme:"field"`
}
func (Shelf) Meta() cacheme.Meta { return cacheme.Meta{Key: "user:<user>:shelf", TTL: time.Minute} }
func (s Shelf) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{UserBooks{User: s.User}} }
func (s Shelf) ResultInvalidNodes(bs []book) (out []cacheme.Invalid) {
	for _, b := range bs { out = append(out, BookChanged{ID: b.ID}) }
	return
}

type BookChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}
func (BookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*book)(nil)} }

type UserBooks struct {
	cacheme.ModelInvalidNode
	User int64 `cacheme:"field"`
	Book int64 `cacheme:"field"`
}
func (UserBooks) Meta() cacheme.Meta { return cacheme.Meta{Model: (*userBook)(nil), M2M: true} }

func TestSmoke(t *testing.T) {
	srv, err := embedded.Start(embedded.Options{})
	if err != nil { t.Fatal(err) }
	defer srv.Close()
	rdb := srv.Client()
	c, err := cacheme.New(rdb, cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) { fmt.Printf("%+v\n", e) }})
	if err != nil { t.Fatal(err) }
	defer c.Close(context.Background())
	if err := c.Register(Shelf{}, BookChanged{}, UserBooks{}); err != nil { t.Fatal(err) }
	loads := 0
	ctx := context.Background()
	load := func(ctx context.Context, s Shelf) ([]book, error) { loads++; return []book{{ID: 1, Title: fmt.Sprint(loads)}}, nil }
	get := func() { t.Helper(); v, err := cacheme.GetFrom(ctx, c, Shelf{User: 7}, load); t.Log(v, err, loads) }
	get(); get(); get()
	t.Log(c.Invalidate(ctx, UserBooks{User: 7}))
	get(); get()
	t.Log(c.Invalidate(ctx, BookChanged{ID: 1}))
	get(); get()
	t.Log(c.Invalidate(ctx, BookChanged{ID: 2}))
	get(); get()
	keys, _ := rdb.Keys(ctx, "*").Result()
	for _, k := range keys { v, _ := rdb.Get(ctx, k).Result(); t.Logf("%s = %q", k, v) }
	for k, err := range c.Keys(ctx, Shelf{}) { t.Log(k, err) }
	t.Log(c.RemovePattern(ctx, "user:*"))
	get()
	t.Logf("%+v", c.Stats())
	t.Log(c.KeyOf(UserBooks{Book: 7}))
	fmt.Println(cacheme.Of[UserBooks](userBook{UserID: 1, BookID: 3}))
	fmt.Println(cacheme.Of[UserBooks](user{ID: 3}))
	fmt.Println(cacheme.Of[BookChanged]("12"))
	fmt.Println(cacheme.Of[BookChanged](book{}))
}
