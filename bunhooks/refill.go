package bunhooks

import (
	"reflect"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
)

// refill is a model with what its rows have loaded again.
type refill struct {
	model *schema.Table
	nodes func(row any) []cacheme.Declaration
}

// refill has loaded again, in the background, what committed rows name. It is a favour to the next readers: what goes
// wrong with it is theirs to meet.
func (e *engine) refill(all []*written) {
	var nodes []cacheme.Declaration
	for _, w := range all {
		for _, r := range w.rows {
			for _, f := range r.table.refills {
				for _, values := range r.values {
					err := asked(f.model, r.table, values, func(model reflect.Value) {
						nodes = append(nodes, f.nodes(model.Elem().Interface())...)
					})
					if err != nil {
						e.warn.once("refill "+r.table.id.table, "cacheme cannot ask a written row what to load again", "table", r.table.id.table, "err", err)
					}
				}
			}
		}
	}
	if len(nodes) == 0 {
		return
	}
	if err := e.cache.Refill(nodes...); err != nil {
		e.warn.once("refill", "cacheme cannot load again what a written row named", "err", err)
	}
}
