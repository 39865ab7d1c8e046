package queries

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/rowcache"
)

// rowsOf asks for rows by their keys, and for what they are related to.
func (d dice) rowsOf(p *place) question {
	user, message := d.user(), d.message()
	switch d.IntN(7) {
	case 0:
		return question{
			name: "rows: Get", text: fmt.Sprint("user ", user),
			cached: answer(true, func(ctx context.Context) (User, error) { return p.users.Get(ctx, user) }),
			plain:  answer(true, func(ctx context.Context) (User, error) { return p.user(ctx, "u.id = ?", user) }),
		}
	case 1:
		return question{
			name: "rows: GetBy", text: fmt.Sprint("the user of width ", user),
			cached: answer(true, func(ctx context.Context) (User, error) { return p.users.GetBy(ctx, "width", user) }),
			plain:  answer(true, func(ctx context.Context) (User, error) { return p.user(ctx, "u.width = ?", user) }),
		}
	case 2:
		return question{
			name: "rows: ToOne", text: fmt.Sprintf("the sender of message %d, where there is one", message),
			cached: answer(true, func(ctx context.Context) (*User, error) {
				m, err := p.messages.Get(ctx, message)
				if err != nil {
					return nil, err
				}
				return p.sender.Of(ctx, m)
			}),
			plain: answer(true, func(ctx context.Context) (*User, error) {
				var m Message
				err := p.admin.NewSelect().Model(&m).Relation("Sender").Where("m.id = ?", message).Scan(ctx)
				return m.Sender, err
			}),
		}
	case 3:
		return question{
			name: "rows: ToMany, has-many", text: fmt.Sprint("what user ", user, " sent"),
			cached: answer(true, func(ctx context.Context) ([]Message, error) { return p.sent.Of(ctx, User{ID: user}) }),
			plain: answer(true, func(ctx context.Context) (all []Message, err error) {
				err = p.admin.NewSelect().Model(&all).Where("m.sender_id = ?", user).Order("m.id").Scan(ctx)
				return all, err
			}),
		}
	case 4:
		return question{
			name: "rows: ToMany, m2m", text: fmt.Sprint("the tags of message ", message),
			cached: answer(true, func(ctx context.Context) ([]Tag, error) { return p.tagged.Of(ctx, Message{ID: message}) }),
			plain: answer(true, func(ctx context.Context) (all []Tag, err error) {
				err = p.admin.NewSelect().Model(&all).Where("g.id IN (SELECT tag_id FROM message_tags WHERE message_id = ?)", message).Order("g.id").Scan(ctx)
				return all, err
			}),
		}
	case 5:
		return d.preloaded(p)
	default:
		ids := rowcache.IDs([]int64{1, 2, 3, user})
		return question{
			name: "rows: GetMany", text: fmt.Sprint("users ", ids),
			cached: answer(true, func(ctx context.Context) ([]User, error) {
				found, err := p.users.GetMany(ctx, ids...)
				return found, without(err)
			}),
			plain: answer(true, func(ctx context.Context) ([]User, error) {
				var found []User
				if err := p.admin.NewSelect().Model(&found).Where("u.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
					return nil, err
				}
				inOrder := make([]User, len(ids))
				for i, id := range ids {
					if at := slices.IndexFunc(found, func(u User) bool { return any(u.ID) == id }); at >= 0 {
						inOrder[i] = found[at]
					}
				}
				return inOrder, nil
			}),
		}
	}
}

// preloaded are some messages with all that they are related to.
func (d dice) preloaded(p *place) question {
	var ids []int64
	for range 3 {
		if id := d.message(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return question{
		name: "rows: Preload", text: fmt.Sprint("messages ", ids, " with senders, recipients and tags"),
		cached: answer(false, func(ctx context.Context) ([]Message, error) {
			rows, err := p.messages.GetMany(ctx, rowcache.IDs(ids)...)
			if err := without(err); err != nil {
				return nil, err
			}
			rows = slices.DeleteFunc(rows, func(m Message) bool { return m.ID == 0 })
			if err := rowcache.Preload(ctx, rows, p.sender, p.recipient, p.tagged); err != nil {
				return nil, err
			}
			return shown(rows), nil
		}),
		plain: answer(false, func(ctx context.Context) ([]Message, error) {
			var rows []Message
			err := p.admin.NewSelect().Model(&rows).Relation("Sender").Relation("Recipient").
				Relation("Tags", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("g.id") }).Where("m.id IN (?)", bun.List(ids)).Scan(ctx)
			return shown(rows), err
		}),
	}
}

// shown are messages of which no tags are none, however that is written.
func shown(rows []Message) []Message {
	for i := range rows {
		if len(rows[i].Tags) == 0 {
			rows[i].Tags = nil
		}
	}
	return rows
}

func (p *place) user(ctx context.Context, where string, arg int64) (u User, err error) {
	err = p.admin.NewSelect().Model(&u).Where(where, arg).Scan(ctx)
	return u, err
}
