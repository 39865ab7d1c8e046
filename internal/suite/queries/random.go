package queries

import (
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// question is a random one.
func (d dice) question(p *place) question {
	switch d.IntN(16) {
	case 0, 1:
		return d.rowsOf(p)
	case 2:
		return d.aggregate(p)
	case 3:
		return d.unionOf(p)
	case 4, 5:
		return d.onUsers(p)
	case 6:
		return d.subselected(p)
	default:
		return d.onMessages(p)
	}
}

// where gives a query a condition, or none, or several.
func (d dice) where(s scope) (add func(*bun.DB, *bun.SelectQuery) *bun.SelectQuery, restricted bool) {
	parts := make([]expr, d.IntN(3))
	for i := range parts {
		parts[i] = d.condition(s, d.IntN(3))
	}
	if len(parts) == 0 && d.chance(70) {
		parts = []expr{d.condition(s, 1)}
	}
	or := d.chance(15)
	grouped := d.chance(20)
	restricted = len(parts) > 0
	inRow := func(db *bun.DB, q *bun.SelectQuery) *bun.SelectQuery {
		for _, e := range parts {
			if or {
				q = q.WhereOr(e.text, e.in(db)...)
			} else {
				q = q.Where(e.text, e.in(db)...)
			}
		}
		return q
	}
	if !grouped || !restricted {
		return inRow, restricted
	}
	return func(db *bun.DB, q *bun.SelectQuery) *bun.SelectQuery {
		return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery { return inRow(db, q) })
	}, true
}

// page gives a query an order, and perhaps a limit and an offset. By ids the order is total.
func (d dice) page(ids []string, text string) (add func(*bun.SelectQuery) *bun.SelectQuery, ordered, limited bool) {
	if d.chance(30) {
		return asIs, false, false
	}
	var by []string
	if text != "" && d.chance(30) {
		by = append(by, text+pick(d, "", " DESC"))
	}
	by = append(by, ids...)
	limit, offset := d.Int64N(6), d.Int64N(4)
	limited = d.chance(50)
	skipping := d.chance(40)
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, o := range by {
			q = q.OrderExpr(o)
		}
		if limited {
			q = q.Limit(limit + 1)
			if skipping {
				q = q.Offset(offset)
			}
		}
		return q
	}, true, limited
}

// part is a row of a column list.
type part struct {
	ID          int64
	SenderID    *int64
	RecipientID *int64
	Sent        int64
}

// onMessages asks for messages, with what can be joined to them.
func (d dice) onMessages(p *place) question {
	s := scope{dialect: p.Dialect, columns: messageColumns("m")}
	ids := []string{"m.id"}
	var (
		kinds  []string
		joins  []expr
		paths  []string
		unique = true // each message is there once at most
	)
	relate := func(path string, columns []column) {
		kinds, paths = append(kinds, "Relation"), append(paths, path)
		if d.chance(40) {
			kinds, s.columns = append(kinds, "a condition on it"), append(s.columns, columns...)
		}
	}
	join := func(kind, text string, columns []column, key ...string) {
		kinds = append(kinds, kind)
		e := expr{text: text}
		if d.chance(25) {
			w := d.leaf(scope{dialect: p.Dialect, columns: columns, depth: 1})
			e = e.and(" AND "+w.text, w.args...)
		}
		joins = append(joins, e)
		s.columns = append(s.columns, columns...)
		ids = append(ids, key...)
	}
	left := func() string { return pick(d, "JOIN ", "LEFT JOIN ") }
	switch d.IntN(10) {
	case 0:
		relate("Sender", userColumns("sender"))
	case 1:
		relate("Recipient", userColumns("recipient"))
		if d.chance(50) {
			relate("Sender", userColumns("sender"))
		}
	case 2:
		relate("Sender.Team", teamColumns("sender__team"))
	case 3:
		join("join", left()+"users AS s ON s.id = m.sender_id", userColumns("s"))
	case 4:
		join("join", left()+"users AS s ON s.id = m.sender_id", userColumns("s"))
		join("join", left()+"teams AS t ON t.id = s.team_id", teamColumns("t"))
	case 5:
		unique = false
		join("m2m join", left()+"message_tags AS mt ON mt.message_id = m.id", taggingColumns("mt"), "mt.tag_id")
		if d.chance(50) {
			join("m2m join", left()+"tags AS g ON g.id = mt.tag_id", []column{{source: "g", name: "id", id: dice.tag}})
		}
	case 6:
		unique = false
		join("self join", left()+"messages AS o ON o.sender_id = m.recipient_id", messageColumns("o"), "o.id")
	case 7:
		relate("Recipient", userColumns("recipient"))
		join("join", left()+"users AS s ON s.id = m.sender_id", userColumns("s"))
	}
	s.alone = len(joins)+len(paths) == 0
	where, restricted := d.where(s)
	page, ordered, limited := d.page(ids, pick(d, "", "m.sent", "m.note", "m.sender_id"))
	base := func(db *bun.DB) *bun.SelectQuery {
		q := db.NewSelect().Model((*Message)(nil))
		for _, path := range paths {
			q = q.Relation(path)
		}
		for _, j := range joins {
			q = q.Join(j.text, j.in(db)...)
		}
		return where(db, q)
	}
	if !restricted {
		kinds = append(kinds, "everything")
	}
	var named []on
	if s.alone && d.chance(10) {
		sender, w := d.user(), d.condition(s, 1)
		named, kinds = []on{{pick(d, "sender_id", "Sender", "SenderID", "sender"), sender}}, append(kinds, "On")
		base = func(db *bun.DB) *bun.SelectQuery {
			return db.NewSelect().Model((*Message)(nil)).Where("m.sender_id + 0 = ?", sender).Where(w.text, w.in(db)...)
		}
	}
	m := pick(d, all, all, all, all, one, count, exists)
	if len(kinds) == 0 {
		kinds = append(kinds, "filter")
	}
	switch {
	case m != all:
		kinds = append(kinds, m.String())
	case limited:
		kinds = append(kinds, "Limit")
	}
	q := build(base).then(page)
	if m == one && !ordered {
		q, ordered = build(base).then(func(q *bun.SelectQuery) *bun.SelectQuery {
			for _, o := range ids {
				q = q.OrderExpr(o)
			}
			return q
		}), true
	}
	name := kindOf(kinds)
	if len(paths) == 0 && m != count && unique && d.chance(40) {
		if d.chance(50) {
			return ask[int64](p, name, m, ordered, q.then(func(q *bun.SelectQuery) *bun.SelectQuery { return q.Column("m.id") }), named...)
		}
		return ask[part](p, name, m, ordered, q.then(func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Column("m.id", "m.sender_id", "m.recipient_id", "m.sent")
		}), named...)
	}
	if len(paths) == 0 && m != one && d.chance(12) {
		return ask[int64](p, name+", distinct", m, true, build(base).then(func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Distinct().Column("m.sent").Order("m.sent").Limit(3)
		}), named...)
	}
	return ask[Message](p, name, m, ordered, q, named...)
}

// kindOf is a kind of question by what there is in it.
func kindOf(kinds []string) string {
	var each []string
	for _, k := range kinds {
		if !slices.Contains(each, k) {
			each = append(each, k)
		}
	}
	return strings.Join(each, ", ")
}

// onUsers asks for users, whom softly deleted ones are no more, by what they sent.
func (d dice) onUsers(p *place) question {
	s := scope{dialect: p.Dialect, columns: userColumns("u"), alone: true}
	ids, kind := []string{"u.id"}, "users"
	add := asIs
	switch d.IntN(5) {
	case 0:
		kind, s.alone = "reverse join", false
		add = func(q *bun.SelectQuery) *bun.SelectQuery { return q.Join("JOIN messages AS m ON m.sender_id = u.id") }
		s.columns, ids = append(s.columns, messageColumns("m")...), append(ids, "m.id")
	case 1:
		kind, s.alone = "reverse left join, two hops", false
		add = func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Join("LEFT JOIN messages AS m ON m.sender_id = u.id").Join("LEFT JOIN message_tags AS mt ON mt.message_id = m.id")
		}
		s.columns, ids = append(s.columns, messageColumns("m")...), append(ids, "m.id", "mt.tag_id")
		s.columns = append(s.columns, taggingColumns("mt")...)
	case 2:
		kind, s.alone = "users with Relation", false
		add = func(q *bun.SelectQuery) *bun.SelectQuery { return q.Relation("Team") }
	case 3:
		add = func(q *bun.SelectQuery) *bun.SelectQuery { return q.WhereAllWithDeleted() }
	}
	where, _ := d.where(s)
	page, ordered, _ := d.page(ids, "u.age")
	m := pick(d, all, all, count, exists)
	return ask[User](p, kind+", "+m.String(), m, ordered, func(db *bun.DB) *bun.SelectQuery {
		return page(where(db, add(db.NewSelect().Model((*User)(nil)))))
	})
}

// tally is a row of an aggregate.
type tally struct {
	Of  *int64
	N   int64
	Sum *int64
}

func (d dice) aggregate(p *place) question {
	s := scope{dialect: p.Dialect, columns: messageColumns("m"), alone: true}
	by := pick(d, "m.sender_id", "m.recipient_id", "m.sent", "")
	join := ""
	if d.chance(25) {
		join, s.alone = pick(d, "JOIN", "LEFT JOIN")+" users AS s ON s.id = m.sender_id", false
		s.columns = append(s.columns, userColumns("s")...)
	}
	where, _ := d.where(s)
	having, limited := d.chance(25), d.chance(30)
	sum := pick(d, "sum(m.sent)", "max(m.sent)", "min(m.id)", "count(DISTINCT m.sent)", "count(m.recipient_id)")
	return ask[tally](p, "aggregate", all, true, func(db *bun.DB) *bun.SelectQuery {
		q := db.NewSelect().Model((*Message)(nil))
		if join != "" {
			q = q.Join(join)
		}
		q = where(db, q)
		if by == "" {
			return q.ColumnExpr("count(*) AS n, " + sum + " AS sum")
		}
		q = q.ColumnExpr(by + " AS of, count(*) AS n, " + sum + " AS sum").GroupExpr(by).OrderExpr(by)
		if having {
			q = q.Having("count(*) > 1")
		}
		if limited {
			q = q.Limit(2)
		}
		return q
	})
}

func (d dice) unionOf(p *place) question {
	first, _ := d.where(scope{dialect: p.Dialect, columns: messageColumns("m"), alone: true})
	second, _ := d.where(scope{dialect: p.Dialect, columns: messageColumns("m"), alone: true})
	how := pick(d, "UNION", "UNION ALL", "EXCEPT", "INTERSECT")
	part := func(db *bun.DB, where func(*bun.DB, *bun.SelectQuery) *bun.SelectQuery) *bun.SelectQuery {
		return where(db, db.NewSelect().Model((*Message)(nil)).Column("m.id"))
	}
	return ask[int64](p, strings.ToLower(how), all, false, func(db *bun.DB) *bun.SelectQuery {
		q, other := part(db, first), part(db, second)
		switch how {
		case "UNION":
			return q.Union(other)
		case "UNION ALL":
			return q.UnionAll(other)
		case "EXCEPT":
			return q.Except(other)
		default:
			return q.Intersect(other)
		}
	})
}

// subselected reads from a query, by WITH or in FROM.
func (d dice) subselected(p *place) question {
	where, _ := d.where(scope{dialect: p.Dialect, columns: messageColumns("m"), alone: true})
	with, sent := d.chance(50), d.number()
	return ask[part](p, "subquery in FROM", pick(d, all, count), false, func(db *bun.DB) *bun.SelectQuery {
		inner := where(db, db.NewSelect().Model((*Message)(nil)).Column("m.id", "m.sender_id", "m.recipient_id", "m.sent"))
		if with {
			return db.NewSelect().With("w", inner).TableExpr("w").Where("w.sent >= ?", sent)
		}
		return db.NewSelect().TableExpr("(?) AS w", inner).Where("w.sent >= ?", sent)
	})
}
