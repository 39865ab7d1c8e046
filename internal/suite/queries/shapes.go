package queries

import "github.com/uptrace/bun"

// criterion is what tells the rows of a query from others.
type criterion uint8

const (
	byID criterion = iota // message 1
	byField
	byRelation // the sender is joined, and is user 1
	byName     // the sender is joined and asked for by his name; On says who that is
	criteria   // how many there are
)

func (c criterion) String() string {
	return [...]string{"id", "field", "relation", "relation, On"}[c]
}

// condition is a criterion in SQL, for each way of asking.
type condition [criteria]string

var (
	equal   = condition{"m.id = 1", "m.sender_id = 1", "s.id = 1", "s.name = 'Ann'"}
	among   = condition{"m.id IN (1, 3)", "m.sender_id IN (1, 3)", "s.id IN (1, 3)", "s.name IN ('Ann', 'Cy')"}
	between = condition{"m.id BETWEEN 0 AND 2", "m.sender_id BETWEEN 0 AND 1", "s.id BETWEEN 0 AND 1"}
	not     = condition{"NOT (m.id = 5)", "NOT (m.sender_id = 2)", "NOT (s.id = 2)"}
	either  = condition{"m.id = 1 OR m.recipient_id = 3", "m.sender_id = 1 OR m.recipient_id = 3", "s.id = 1 OR m.recipient_id = 3"}
)

// messages selects messages that satisfy a condition.
func (c criterion) messages(by condition) build {
	return func(db *bun.DB) *bun.SelectQuery {
		q := db.NewSelect().Model((*Message)(nil))
		if c >= byRelation {
			q = q.Join("JOIN users AS s ON s.id = m.sender_id")
		}
		return q.Where(by[c]).Order("m.id")
	}
}

// then goes on with a query.
func (b build) then(more func(*bun.SelectQuery) *bun.SelectQuery) build {
	return func(db *bun.DB) *bun.SelectQuery { return more(b(db)) }
}

// ann says who is called so: she, and what she sent, as seen from messages.
func ann(c criterion) []on {
	if c != byName {
		return nil
	}
	return []on{{"sender_id", 1}, {"sender.id", 1}}
}

// shape is a row of the grid: a shape of query.
type shape struct {
	name string
	ask  func(p *place, c criterion) question
	// want is what each write of the grid does, by criterion; none: the shape has no such criterion.
	want [criteria]cells
}

// of makes a shape on messages.
func of[T any](m manner, by condition, more func(*bun.SelectQuery) *bun.SelectQuery) func(*place, criterion) question {
	return func(p *place, c criterion) question {
		return ask[T](p, "", m, true, c.messages(by).then(more), ann(c)...)
	}
}

func asIs(q *bun.SelectQuery) *bun.SelectQuery { return q }

// sum is a row of an aggregate.
type sum struct {
	RecipientID *int64
	N           int64
	Sum         int64
}

// tagged is a condition on the tags of a message, for the m2m shape.
var tagged = condition{"m.id = 1", "mt.tag_id = 1", "g.id = 1", "g.label = 'red'"}

// senders selects users by the messages that they sent.
func senders(p *place, c criterion) question {
	by, named := condition{"m.id = 1", "m.sender_id = 1", "u.id = 1", "u.name = 'Ann'"}, []on(nil)
	if c == byName {
		named = []on{{"id", 1}, {"Sent.sender_id", 1}}
	}
	return ask[User](p, "", all, true, func(db *bun.DB) *bun.SelectQuery {
		return db.NewSelect().Model((*User)(nil)).Join("JOIN messages AS m ON m.sender_id = u.id").Where(by[c]).Order("u.id", "m.id")
	}, named...)
}

func byTag(p *place, c criterion) question {
	var named []on
	if c == byName {
		named = []on{{"Tags.id", 1}}
	}
	return ask[Message](p, "", all, true, func(db *bun.DB) *bun.SelectQuery {
		return db.NewSelect().Model((*Message)(nil)).Join("JOIN message_tags AS mt ON mt.message_id = m.id").
			Join("JOIN tags AS g ON g.id = mt.tag_id").Where(tagged[c]).Order("m.id", "g.id")
	}, named...)
}

// either of two queries, each of which satisfies the criterion.
func union(p *place, c criterion) question {
	return ask[int64](p, "", all, false, func(db *bun.DB) *bun.SelectQuery {
		first := c.messages(equal).then(func(q *bun.SelectQuery) *bun.SelectQuery { return q.Column("m.id") })
		second := db.NewSelect().Model((*Message)(nil)).Column("m.id").Where("m.sender_id = 3")
		return first.unordered(db, c).Union(second)
	}, ann(c)...)
}

// unordered is the query without its order, which the parts of a union do not have.
func (build) unordered(db *bun.DB, c criterion) *bun.SelectQuery {
	q := db.NewSelect().Model((*Message)(nil)).Column("m.id")
	if c >= byRelation {
		q = q.Join("JOIN users AS s ON s.id = m.sender_id")
	}
	return q.Where(equal[c])
}

func shapes() []shape {
	return []shape{
		{name: "get (`One`)", want: [criteria]cells{"L.LLL.L.L...........", "n.nLL.L.L...........", "n.nLL.L.L.n.........", "n.nLL.L.L.n........."}, ask: of[Message](one, equal, asIs)},
		{name: "filter", want: [criteria]cells{"L.LLL.L.L...........", "L.LLL.L.L...........", "L.LLL.L.L.n.........", "L.LLL.L.L.n........."}, ask: of[Message](all, equal, asIs)},
		{name: "page (`Limit`, `Offset`)", want: [criteria]cells{"n.nnn.n.n...........", "n.nLn.L.L...........", "n.nLn.L.L.n.........", "n.nLn.L.L.n........."}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Limit(2).Offset(1) })},
		{name: "`Count`", want: [criteria]cells{"L.LLn.L.n...........", "L.LLn.L.n...........", "L.LLn.L.n.n.........", "L.LLn.L.n.n........."}, ask: of[Message](count, equal, asIs)},
		{name: "ids (a column list)", want: [criteria]cells{"L.LLn.L.n...........", "L.LLn.L.n...........", "L.LLn.L.n.n.........", "L.LLn.L.n.n........."}, ask: of[int64](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Column("m.id") })},
		{name: "`Exists`", want: [criteria]cells{"L.LLn.L.n...........", "n.nnn.n.n...........", "n.nnn.n.n.n.........", "n.nnn.n.n.n........."}, ask: of[Message](exists, equal, asIs)},
		{name: "aggregates, grouped", want: [criteria]cells{"L.LLn.L.L...........", "L.LLn.L.L...........", "L.LLn.L.L.n.........", "L.LLn.L.L.n........."}, ask: func(p *place, c criterion) question {
			return ask[sum](p, "", all, false, func(db *bun.DB) *bun.SelectQuery {
				q := db.NewSelect().Model((*Message)(nil)).ColumnExpr("m.recipient_id, count(*) AS n, sum(m.sent) AS sum").Group("m.recipient_id")
				if c >= byRelation {
					q = q.Join("JOIN users AS s ON s.id = m.sender_id")
				}
				return q.Where(equal[c])
			}, ann(c)...)
		}},
		{name: "1 hop (`Relation`)", want: [criteria]cells{"L.LLL.L.L..L........", "L.LLL.L.L..L........", "L.LLL.L.L.nL........", "L.LLL.L.L.nL........"}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Relation("Recipient") })},
		{name: "1 hop (`JOIN`)", want: [criteria]cells{"L.LLL.L.L.nnn.......", "L.LLL.L.L.nnn.......", "L.LLL.L.L.nnn.......", "L.LLL.L.L.n........."}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Join("JOIN users AS r ON r.id = m.recipient_id").Where("r.age > 0")
		})},
		{name: "2 hops (`Relation`)", want: [criteria]cells{"L.LLL.L.L.L..L......", "L.LLL.L.L.L..L......", "L.LLL.L.L.L..L......", "L.LLL.L.L.L..L......"}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Relation("Sender.Team") })},
		{name: "2 hops (`JOIN`)", want: [criteria]cells{"L.nLL.L.L.nnnnn.....", "L.LLL.L.L.n..nn.....", "L.LLL.L.L.n..nn.....", "L.LLL.L.L.n..nn....."}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Join("JOIN users AS x ON x.id = m.sender_id").Join("JOIN teams AS t ON t.id = x.team_id").Where("t.city IS NOT NULL")
		})},
		{name: "reverse join", want: [criteria]cells{"L.LLn.L.n.Lnn.......", "L.LLn.L.n.L.........", "L.LLn.L.n.L.........", "L.LLn.L.n.L........."}, ask: senders},
		{name: "m2m join", want: [criteria]cells{"L.LLL.L.L......LL.n.", "nnnLLnLnLn......L...", "nnnLLnLnLn......L...", "nnnLLnLnLn.....nLn.."}, ask: byTag},
		{name: "`IN`", want: [criteria]cells{"L.LLL.L.L...........", "L.LLL.L.L...........", "L.LLL.L.L.n.........", "L.LLL.L.L.n........."}, ask: func(p *place, c criterion) question {
			named := ann(c)
			if c == byName {
				named = append(named, on{"sender_id", 3}, on{"sender.id", 3})
			}
			return ask[Message](p, "", all, true, c.messages(among), named...)
		}},
		{name: "`NOT`", want: [criteria]cells{"LLLLLnLnLL..........", "LnLLLnLnLL..........", "LnLLLnLnLLnnn......."}, ask: of[Message](all, not, asIs)},
		{name: "`OR`", want: [criteria]cells{"LnLLLnLnLn..........", "LnLLLnLnLn..........", "LnLLLnLnLnnnn......."}, ask: of[Message](all, either, asIs)},
		{name: "range", want: [criteria]cells{"LnLLLnLnLn..........", "LnLLLnLnLn..........", "LnLLLnLnLnnnn......."}, ask: of[Message](all, between, asIs)},
		{name: "nested `IN (SELECT)`", want: [criteria]cells{"L.LLL.L.L.......L...", "n.nLL.L.L.......L...", "n.nLL.L.L.n.....L...", "n.nLL.L.L.n.....L..."}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("m.id IN (SELECT message_id FROM message_tags WHERE tag_id = 1)")
		})},
		{name: "nested `EXISTS`", want: [criteria]cells{"L.LLL.L.L.......L...", "n.nLL.L.L.......L...", "n.nLL.L.L.n.....L...", "n.nLL.L.L.n.....L..."}, ask: of[Message](all, equal, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("EXISTS (SELECT 1 FROM message_tags AS mt WHERE mt.message_id = m.id AND mt.tag_id = 1)")
		})},
		{name: "`UNION`", want: [criteria]cells{"L.LLn.L.n...........", "L.LLn.L.n...........", "L.LLn.L.n.n.........", "L.LLn.L.n.n........."}, ask: union},
	}
}
