package observe

import (
	"context"
	"strings"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// harmless are nodes that are declared rightly, or in a manner that nobody but their user can judge, and look as if
// something were missing. Nothing may be told of them, however often they are loaded.
func harmless(t *testing.T, open writes.Open) {
	p := newPlace(t, open(t), 0)
	check(t, p.plant(t.Context(), newDice(1)))
	if _, err := p.admin.db.NewUpdate().Model((*Book)(nil)).Set("author_id = NULL").Where("1 = 1").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	booksShown := func(_ int64, p page) []cacheme.Invalid {
		return each(p.Books, func(b Book) cacheme.Invalid { return bookChanged{ID: b.ID} })
	}
	for _, c := range []struct {
		name string
		load func(source, context.Context, int64) (page, error)
		declared
	}{
		{"books none of which has an author that was joined", source.card, declared{of: thatBook, result: asks[0].right.result}},
		{"the empty shelf of somebody who is shown too", func(s source, ctx context.Context, id int64) (p page, err error) {
			if err = s.db.NewSelect().Model(&p.Users).Where("id = ?", id).Scan(ctx); err != nil {
				return p, err
			}
			err = s.db.NewSelect().Model(&p.Books).Join("JOIN user_books AS ub ON ub.book_id = book.id").Where("ub.user_id = ?", -id).Scan(ctx)
			return p, err
		}, declared{
			of:     func(id int64) []cacheme.Invalid { return []cacheme.Invalid{userChanged{ID: id}, userBooks{User: -id}} },
			result: booksShown,
		}},
		{"how many readers a book has", func(s source, ctx context.Context, id int64) (p page, err error) {
			n, err := s.db.NewSelect().Model((*User)(nil)).Join("JOIN user_books AS ub ON ub.user_id = u.id").Where("ub.book_id = ?", id).Count(ctx)
			p.Count = int(n)
			return p, err
		}, declared{of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{userBooks{Book: id}} }}},
		{"a row by what is unique, and depends on itself", func(s source, ctx context.Context, id int64) (p page, err error) {
			err = s.db.NewSelect().Model(&p.Users).Where("nick = ?", nick(id)).Scan(ctx)
			return p, err
		}, declared{result: func(_ int64, p page) []cacheme.Invalid {
			return each(p.Users, func(u User) cacheme.Invalid { return userChanged{ID: u.ID} })
		}}},
		{"rows of the table by another column, which may say the same", func(s source, ctx context.Context, id int64) (p page, err error) {
			err = s.db.NewSelect().Model(&p.Reviews).Where("book_id = ?", id).Scan(ctx)
			return p, err
		}, declared{of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{reviewsBy{User: id}} }}},
		{"what is made wrong by hand", source.written, declared{of: these(cacheme.Tag("by hand"))}},
		{"the table as a whole", source.praised, declared{of: these(cacheme.Table("books"), cacheme.Table("reviews"))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(p.events.all())
			memo, err := cacheme.Memo(p.cache, cacheme.Memoized[int64, page]{
				Meta:   cacheme.Meta{Key: "harmless:" + strings.ReplaceAll(c.name, " ", "-") + ":<id>"},
				Values: func(id int64) []any { return []any{id} }, InvalidNodes: c.of, ResultInvalidNodes: c.result,
			}, func(ctx context.Context, id int64) (page, error) { return c.load(p.hooked, ctx, id) })
			check(t, err)
			for i := range int64(5 * most) {
				_, err := memo.Refresh(t.Context(), 1+i%most)
				check(t, err)
			}
			if told := p.events.all()[before:]; len(told) > 0 {
				t.Errorf("a mistake is told: %+v", told)
			}
		})
	}
}
