package queries

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

// herd is how many callers come at once, and how many rows are asked for at once.
const herd = 200

// costs counts the SELECTs that reads of rows are.
func costs(t *testing.T, open writes.Open) {
	p := newPlace(t, open(t), setup{})
	var rows []Message
	for id := range int64(3 * herd) {
		rows = append(rows, Message{ID: id + 1, SenderID: 1, Subject: fmt.Sprint(id)})
	}
	check(t, p.plant(t.Context(), &[]User{{ID: 1, Name: "Ann", Width: 2}, {ID: 2, Name: "Bob", Width: 1}}, &rows))
	spent := func(t *testing.T, want int64, do func(ctx context.Context) error) {
		t.Helper()
		n, err := selects(t.Context(), do)
		check(t, err)
		if n != want {
			t.Errorf("sends %d SELECTs, want %d", n, want)
		}
	}
	get := func(id int64) func(context.Context) error {
		return func(ctx context.Context) error {
			m, err := p.messages.Get(ctx, id)
			if err == nil && m.ID != id {
				return fmt.Errorf("Get(%d) = %+v", id, m)
			}
			return err
		}
	}
	many := func(from int64) func(context.Context) error {
		ids := make([]int64, herd)
		for i := range ids {
			ids[i] = from + int64(i)
		}
		return func(ctx context.Context) error {
			found, err := p.messages.GetMany(ctx, rowcache.IDs(ids)...)
			for i := range found {
				if found[i].ID != ids[i] {
					return fmt.Errorf("GetMany(..)[%d] = %+v, want row %d", i, found[i], ids[i])
				}
			}
			return err
		}
	}
	t.Run("Get by id is one SELECT on a miss, and none on a hit", func(t *testing.T) {
		spent(t, 1, get(1))
		spent(t, 0, get(1))
	})
	t.Run("200 callers that miss one id at once are one SELECT", func(t *testing.T) {
		spent(t, 1, func(ctx context.Context) error {
			errs := make([]error, herd)
			start := make(chan struct{})
			var callers sync.WaitGroup
			for i := range errs {
				callers.Go(func() {
					<-start
					errs[i] = get(2)(ctx)
				})
			}
			close(start)
			callers.Wait()
			return errors.Join(errs...)
		})
	})
	t.Run("200 ids that are missed together are one SELECT", func(t *testing.T) {
		spent(t, 1, many(herd+1))
		spent(t, 0, many(herd+1))
		spent(t, 0, get(herd+17))
	})
	t.Run("a foreign key is no SELECT where its target is cached", func(t *testing.T) {
		if _, err := p.users.Get(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		spent(t, 0, func(ctx context.Context) error {
			sender, err := p.sender.Of(ctx, Message{SenderID: 1})
			if err == nil && (sender == nil || sender.Name != "Ann") {
				return fmt.Errorf("the sender is %+v", sender)
			}
			return err
		})
		spent(t, 0, func(ctx context.Context) error {
			all := append([]Message(nil), rows[:50]...)
			return rowcache.Preload(ctx, all, p.sender)
		})
	})
	t.Run("a look-up by one column never answers with another's row", func(t *testing.T) {
		for range 2 {
			byID, err := p.users.Get(t.Context(), 1)
			check(t, err)
			byWidth, err := p.users.GetBy(t.Context(), "width", 1)
			check(t, err)
			if byID.Name != "Ann" || byWidth.Name != "Bob" {
				t.Errorf("the user of id 1 is %s, of width 1 %s, want Ann and Bob", byID.Name, byWidth.Name)
			}
		}
		for _, column := range []string{"age", "name", "nothing", "width,name"} {
			var usage *cacheme.UsageError
			values := make([]any, 1)
			if _, err := p.users.GetBy(t.Context(), column, values...); !errors.As(err, &usage) {
				t.Errorf("GetBy(%q) = %v, want a UsageError", column, err)
			}
		}
	})
}
