package torture

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/rowcache"
)

// The names of those kinds of reads that somebody has to know.
const (
	ofOne   = "one"
	ofMany  = "many"
	ofNoted = "noted"
)

// kind is a way to read.
type kind struct {
	name   string
	ids    int // 1 to that
	weight int
	// ask answers by one read, or by several of the same Get.
	ask func(ctx context.Context, p *process, id int64, dice *rand.Rand) ([]Read, error)
}

func (k kind) is() (string, int) { return k.name, k.weight }

// kinds are all of them. Of notes alone may there be nothing, which is told by an error.
var kinds = []kind{
	kindOf(ofOne, things, 6, func(p *process) *cacheme.Bound[One, Seen] { return p.one }, func(id int64) One { return One{ID: id} }),
	{ofMany, things, 2, askMany},
	kindOf("lazy", things, 2, func(p *process) *cacheme.Bound[Lazy, Seen] { return p.lazy }, func(id int64) Lazy { return Lazy{ID: id} }),
	kindOf("close", things, 3, func(p *process) *cacheme.Bound[Close, Seen] { return p.close }, func(id int64) Close { return Close{ID: id} }),
	kindOf("labelled", labels, 2, func(p *process) *cacheme.Bound[Labelled, Seen] { return p.labelled }, func(id int64) Labelled { return Labelled{Label: id} }),
	kindOf("shelf", users, 3, func(p *process) *cacheme.Bound[Shelf, Seen] { return p.shelf }, func(id int64) Shelf { return Shelf{User: id} }),
	kindOf("holders", things, 2, func(p *process) *cacheme.Bound[Holders, Seen] { return p.holders }, func(id int64) Holders { return Holders{Thing: id} }),
	kindOf("everything", 1, 1, func(p *process) *cacheme.Bound[Everything, Seen] { return p.everything }, func(int64) Everything { return Everything{} }),
	kindOf("page", things, 3, func(p *process) *cacheme.Bound[Page, Seen] { return p.page }, func(id int64) Page { return Page{ID: id} }),
	kindOf(ofNoted, notes, 2, func(p *process) *cacheme.Bound[Noted, Seen] { return p.noted }, func(id int64) Noted { return Noted{ID: id} }),
	kindOf("exact", bares, 3, func(p *process) *cacheme.Bound[Exact, Seen] { return p.exact }, func(id int64) Exact { return Exact{ID: id} }),
	kindOf("classed", bares, 1, func(p *process) *cacheme.Bound[Classed, Seen] { return p.classed }, func(id int64) Classed { return Classed{ID: id} }),
	{"row", things, 2, askRow},
	{"query", labels, 2, askQuery},
}

// kindOf is a read of a node by GetResult.
func kindOf[N cacheme.NodeOf[Seen]](name string, ids, weight int, bound func(*process) *cacheme.Bound[N, Seen], node func(int64) N) kind {
	return kind{name, ids, weight, func(ctx context.Context, p *process, id int64, _ *rand.Rand) ([]Read, error) {
		r, err := bound(p).GetResult(ctx, node(id))
		read := Read{Tier: r.Tier, Stale: r.Stale}
		if name == ofNoted && errors.Is(err, cacheme.ErrNotFound) {
			read.Claims = []Claim{{Fact{Group{noteIs, id}, 0}, 0}}
			return []Read{read}, nil
		}
		read.shows(r.Value)
		return []Read{read}, err
	}}
}

func (r *Read) shows(s Seen) { r.Loads, r.Claims, r.Whole = s.Loads, s.Claims, s.Whole }

// askMany is one GetMany.
func askMany(ctx context.Context, p *process, id int64, dice *rand.Rand) ([]Read, error) {
	var nodes []One
	for range 2 + dice.IntN(4) {
		nodes = append(nodes, One{ID: id})
		id = id%things + 1
	}
	values, err := cacheme.GetManyBound(ctx, p.one, nodes, p.loadOnes)
	if err != nil {
		return nil, err
	}
	reads := make([]Read, len(values))
	for i, v := range values {
		reads[i].ID = nodes[i].ID
		reads[i].shows(v)
	}
	return reads, nil
}

// askRow asks rowcache for a row by its key.
func askRow(ctx context.Context, p *process, id int64, _ *rand.Rand) ([]Read, error) {
	r, err := p.rows.GetResult(ctx, id)
	var s Seen
	s.says(thingIs, id, 0, r.Value.Stamp)
	s.says(labelled, r.Value.Label, id, r.Value.Stamp)
	read := Read{Tier: r.Tier, Stale: r.Stale}
	read.shows(s)
	return []Read{read}, err
}

// askQuery asks rowcache for the rows of a query.
func askQuery(ctx context.Context, p *process, id int64, _ *rand.Rand) ([]Read, error) {
	r, err := rowcache.Query[Thing](p.rowcache, p.db.NewSelect().Model((*Thing)(nil)).Where("label = ?", id)).Result(ctx)
	var s Seen
	s.saysLabel(id, r.Value)
	read := Read{Tier: r.Tier, Stale: r.Stale}
	read.shows(s)
	return []Read{read}, err
}
