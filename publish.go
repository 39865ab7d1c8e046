package cacheme

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

// publishEvery is how often a process tells its counts: six times in the minute for which they are shown.
const publishEvery = store.ToldLife / 6

// publisher is what Publish has started.
type publisher struct {
	once    sync.Once
	id      string // of this cache among all: a process may have several
	started time.Time
}

func newPublisher() publisher { return publisher{id: store.NewOwner(), started: time.Now()} }

// Process is one cache of the fleet: a process mostly has one.
type Process struct {
	ID      string           `json:"id"`
	Name    string           `json:"name"` // as Write.Process has it: "web-3:4711"
	Started time.Time        `json:"started"`
	At      time.Time        `json:"at"` // when it told this, by its own clock
	Enabled bool             `json:"enabled"`
	Stats   Stats            `json:"stats"`
	Nodes   map[string]Stats `json:"nodes,omitempty"` // by name, of those that were asked for
}

// Publish writes what is registered to Redis, where Attach reads it, and, at once and every ten seconds until Close, the counts of
// this process, which Console.Fleet lists. Call it once, after Register; what is registered later follows by itself. Of
// several programs, or versions of one, under the same prefix the last one that called counts. It is there for a day after
// the last process that called has ended; each process costs two round trips with six small commands in ten seconds.
//
// An error means that Redis did not take it now; it is tried again with the next counts.
func (c *Cache) Publish(ctx context.Context) error {
	if c.closed.Load() {
		return ErrClosed
	}
	registered := c.registry.table.Load()
	err := c.publishAll(ctx, false)
	if err != nil {
		registered = nil // what is there may be another program's
	}
	c.publisher.once.Do(func() {
		if c.loads.Enter() {
			go c.keepPublishing(context.WithoutCancel(ctx), registered)
		}
	})
	if err != nil {
		return wrap("publish", "declarations", err)
	}
	return nil
}

func (c *Cache) keepPublishing(ctx context.Context, registered *plans) {
	defer c.loads.Leave()
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.closing:
			_ = c.store.Leave(ctx, c.options.WriteBudget, c.publisher.id) // it ends in a minute by itself
			return
		case <-tick.C:
		}
		now := c.registry.table.Load()
		if c.publishAll(ctx, now == registered) == nil {
			registered = now
		}
	}
}

// publishAll tells the counts, and the declarations unless they are there.
func (c *Cache) publishAll(ctx context.Context, declared bool) error {
	said, err := json.Marshal(c.ofItself())
	if err != nil {
		return err
	}
	there, err := c.store.Tell(ctx, c.options.WriteBudget, c.publisher.id, said)
	if err != nil || declared && there {
		return err
	}
	b, err := c.publishes()
	if err != nil {
		return err
	}
	return c.store.Declare(ctx, c.options.WriteBudget, b)
}

// ofItself is what this cache says of itself.
func (c *Cache) ofItself() Process {
	p := Process{ID: c.publisher.id, Name: c.process, Started: c.publisher.started, At: time.Now(), Enabled: c.Enabled(), Stats: c.Stats(), Nodes: map[string]Stats{}}
	for _, n := range c.registry.table.Load().all() {
		if s := n.counters.stats(); s != (Stats{}) {
			p.Nodes[n.name] = s
		}
	}
	return p
}

// Fleet lists what the caches that called Publish told in the last minute, by name. What this cache itself counted is as of now.
func (k *Console) Fleet(ctx context.Context) (fleet []Process, err error) {
	said, err := k.c.store.Told(ctx, k.c.options.WriteBudget)
	if err != nil {
		return nil, wrap("fleet", "processes", err)
	}
	for _, b := range said {
		var p Process
		if json.Unmarshal(b, &p) != nil {
			continue // what others put there
		}
		if p.ID == k.c.publisher.id {
			p = k.c.ofItself()
		}
		fleet = append(fleet, p)
	}
	slices.SortFunc(fleet, func(a, b Process) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return fleet, nil
}
