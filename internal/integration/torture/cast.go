package torture

import (
	"context"
	"sync"
	"testing"
	"time"
)

// cast are the processes of a run, and who plays them now: a child that was killed has a successor of another number.
type cast struct {
	t        testing.TB
	settings Settings
	database Database
	place    *place
	bench    *bench
	children []*child
	inside   []*process
	last     int // the last number given out
}

func (c *cast) order(slot int) Order {
	c.last++
	s := c.settings
	o := Order{Number: c.last, Seed: s.Seed, Database: c.database, Redis: c.place.way(slot), Readers: 4, Writers: 1, Reads: s.Reads, Deeds: s.Deeds, Restless: s.Restless}
	if s.Rate > 0 {
		o.Rate = max(1, s.Rate/(s.Children+s.Inside))
	}
	return o
}

// gather starts all processes. Children have the first slots.
func (c *cast) gather() {
	c.t.Helper()
	c.children = make([]*child, c.settings.Children)
	for slot := range c.children {
		c.start(slot)
	}
	for i := range c.settings.Inside {
		p, err := newProcess(c.order(c.settings.Children+i), c.settings.Broken, c.bench.take)
		if err != nil {
			c.t.Fatal(err)
		}
		c.inside = append(c.inside, p)
	}
}

// number is who is in a slot.
func (c *cast) number(slot int) int {
	if slot < len(c.children) {
		return c.children[slot].number
	}
	return c.inside[slot-len(c.children)].Number
}

func (c *cast) start(slot int) {
	c.t.Helper()
	c.children[slot] = startChild(c.t, c.settings.Child, c.order(slot), c.bench.take)
}

// kill kills a child, and tells the judge when all that it had told has been taken.
func (c *cast) kill(slot int) {
	c.t.Helper()
	child := c.children[slot]
	child.Kill()
	at := c.bench.clock.now()
	<-child.told
	c.bench.killed(child.number, at)
}

// act has the processes in this one read and write until ctx ends, while the function runs.
func (c *cast) act(ctx context.Context, meanwhile func()) {
	var all sync.WaitGroup
	for _, p := range c.inside {
		all.Go(func() { p.run(ctx) })
	}
	meanwhile()
	all.Wait()
}

// dismiss ends all processes in good order.
func (c *cast) dismiss() {
	c.t.Helper()
	for _, child := range c.children {
		if err := child.stdin.Close(); err != nil {
			c.t.Errorf("tell process %d to end: %v", child.number, err)
		}
	}
	const patience = 90 * time.Second // as a database may have a writer wait
	for _, child := range c.children {
		if err := child.Wait(patience); err != nil {
			child.Kill()
			c.t.Errorf("end process %d: %v\n%s", child.number, err, &child.said)
		}
		<-child.told
	}
	for _, p := range c.inside {
		if err := p.end(); err != nil {
			c.t.Error(err)
		}
	}
}
