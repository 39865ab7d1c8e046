package torture

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// breakages are all that can befall a run. What befalls one server befalls a master.
var breakages = []breakage{
	{"redis is stopped", 3, []string{Single}, stopRedis},
	{"redis is killed and comes back empty", 2, []string{Single}, restartRedis},
	{"everything is flushed", 3, nil, flushRedis},
	{"keys are deleted by hand", 3, nil, deleteKeys},
	{"keys are evicted", 2, nil, evictKeys},
	{"redis is out of memory", 2, nil, fillRedis},
	{"connections are killed", 3, nil, killConnections},
	{"a process's connections are cut", 3, nil, cutProcess},
	{"a process is refused", 2, nil, refuseProcess},
	{"a process's requests vanish", 2, nil, blackHoleProcess},
	{"a process's replies are late", 2, nil, delayProcess},
	{"a process is killed", 3, nil, killProcess},
	{"a process is stopped", 3, nil, stopProcess},
	{"a primary that lives is replaced", 4, []string{Sentinel}, replacePrimary},
	{"a primary is killed", 4, []string{Sentinel}, killPrimary},
	{"a slot moves", 5, []string{Cluster}, moveSlot},
	{"a master is killed", 4, []string{Cluster}, killMaster},
}

func stopRedis(d *director, f Fault) {
	f.outage = true
	defer d.bench.begin(f)()
	s := d.place.servers[0]
	s.Pause()
	d.wait(d.between(50*time.Millisecond, 2500*time.Millisecond))
	s.Continue()
}

func restartRedis(d *director, f Fault) {
	f.outage = true
	defer d.bench.begin(f)()
	s := d.place.servers[0]
	s.Kill()
	d.wait(d.between(0, time.Second))
	s.Start()
}

func (d *director) onMasters(what string, do func(ctx context.Context, c *redis.Client) error) {
	for _, s := range d.place.masters() {
		d.place.on(s, what, do)
	}
}

func flushRedis(d *director, f Fault) {
	defer d.bench.begin(f)()
	d.onMasters("flush", func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() })
}

// deleteKeys deletes a part of those keys that a scan finds first, some times.
func deleteKeys(d *director, f Fault) {
	f.byHand = true
	defer d.bench.begin(f)()
	pattern := []string{"*", "*:invalid", "*{*"}[d.dice.IntN(3)]
	for range 1 + d.dice.IntN(20) {
		d.onMasters("delete keys", func(ctx context.Context, c *redis.Client) error {
			keys, _, err := c.Scan(ctx, 0, prefix+pattern, 1000).Result()
			keys = slices.DeleteFunc(keys, func(string) bool { return d.dice.IntN(2) == 0 })
			if err != nil || len(keys) == 0 {
				return err
			}
			pipe := c.Pipeline() // of a cluster the keys are in many slots
			for _, key := range keys {
				pipe.Unlink(ctx, key)
			}
			_, err = pipe.Exec(ctx)
			return err
		})
		d.wait(d.between(0, 40*time.Millisecond))
	}
}

func evictKeys(d *director, f Fault) {
	defer d.bench.begin(f)()
	d.limit("allkeys-lru")
}

// fillRedis has the servers refuse what takes memory; what is there is still served.
func fillRedis(d *director, f Fault) {
	defer d.bench.begin(f)()
	d.limit("noeviction")
}

// limit takes memory away from the masters for a while.
func (d *director) limit(policy string) {
	limited := d.place.masters()
	for _, s := range limited {
		d.place.on(s, "limit memory", func(ctx context.Context, c *redis.Client) error {
			used, err := c.InfoMap(ctx, "memory").Result()
			if err != nil {
				return err
			}
			var bytes int64
			if _, err := fmt.Sscan(used["Memory"]["used_memory"], &bytes); err != nil {
				return err
			}
			if err := c.ConfigSet(ctx, "maxmemory-policy", policy).Err(); err != nil {
				return err
			}
			return c.ConfigSet(ctx, "maxmemory", fmt.Sprint(max(1, bytes-100<<10))).Err()
		})
	}
	d.wait(d.between(100*time.Millisecond, time.Second))
	for _, s := range limited {
		d.place.on(s, "limit memory no more", func(ctx context.Context, c *redis.Client) error { return c.ConfigSet(ctx, "maxmemory", "0").Err() })
	}
}

func killConnections(d *director, f Fault) {
	defer d.bench.begin(f)()
	kind := []string{"normal", "pubsub"}[d.dice.IntN(2)]
	d.onMasters("kill connections", func(ctx context.Context, c *redis.Client) error {
		return c.ClientKillByFilter(ctx, "TYPE", kind, "SKIPME", "yes").Err()
	})
}

// toProcess does something to all lines of one process, and undoes it.
func (d *director) toProcess(f Fault, least, most time.Duration, do func(*kit.Proxy)) {
	slot := d.dice.IntN(len(d.place.proxies))
	f.process = d.cast.number(slot)
	defer d.bench.begin(f)()
	for _, proxy := range d.place.proxies[slot] {
		do(proxy)
	}
	d.wait(d.between(least, most))
	for _, proxy := range d.place.proxies[slot] {
		if err := proxy.Heal(); err != nil {
			d.t.Errorf("%s: %v", f.Name, err)
		}
	}
}

func cutProcess(d *director, f Fault) { d.toProcess(f, 0, 50*time.Millisecond, (*kit.Proxy).Cut) }

func refuseProcess(d *director, f Fault) {
	f.outage = true
	d.toProcess(f, 100*time.Millisecond, 2*time.Second, (*kit.Proxy).Refuse)
}

func blackHoleProcess(d *director, f Fault) {
	f.outage = true
	d.toProcess(f, 100*time.Millisecond, 3*time.Second, (*kit.Proxy).BlackHole)
}

func delayProcess(d *director, f Fault) {
	late := d.between(5*time.Millisecond, 600*time.Millisecond)
	d.toProcess(f, 200*time.Millisecond, 2*time.Second, func(p *kit.Proxy) { p.Delay(late) })
}

func killProcess(d *director, f Fault) {
	d.toChild(f, func(slot int) {
		d.cast.kill(slot)
		d.wait(d.between(0, 2*holdTime))
		d.cast.start(slot)
	})
}

// toChild does something to a process that can be killed, if there is one, mostly at a bad moment.
func (d *director) toChild(f Fault, do func(slot int)) {
	if len(d.cast.children) == 0 {
		return
	}
	f.calm = true
	slot := d.dice.IntN(len(d.cast.children))
	f.process = d.cast.number(slot)
	defer d.bench.begin(f)()
	if d.dice.IntN(4) > 0 {
		d.cast.children[slot].awaitHold()
	}
	do(slot)
}

func stopProcess(d *director, f Fault) {
	d.toChild(f, func(slot int) {
		c := d.cast.children[slot]
		c.Pause()
		d.wait(d.between(20*time.Millisecond, 5*holdTime/2))
		if d.dice.IntN(4) == 0 {
			d.cast.kill(slot)
			d.cast.start(slot)
			return
		}
		c.Continue()
	})
}

// replacePrimary leaves a window to those who still reach the old primary, until that is a replica: docs/promises.md.
func replacePrimary(d *director, f Fault) {
	f.window = true
	defer d.bench.begin(f)()
	old := d.place.sentinel.Primary()
	d.place.sentinel.Failover()
	d.place.awaitReplica(old)
}

func killPrimary(d *director, f Fault) {
	f.outage = true
	defer d.bench.begin(f)()
	dead := d.place.sentinel.Primary()
	dead.Kill()
	d.place.sentinel.AwaitFailover(dead)
	dead.Start()
	d.place.awaitReplica(dead)
}

func killMaster(d *director, f Fault) {
	defer d.bench.begin(f)()
	masters := d.place.masters()
	dead := masters[d.dice.IntN(len(masters))]
	dead.Kill()
	d.place.cluster.AwaitFailover(dead)
	dead.Start()
	d.place.awaitReplica(dead)
}

func moveSlot(d *director, f Fault) {
	defer d.bench.begin(f)()
	id := 1 + d.dice.IntN(things)
	key := []string{prefix + "{one:%d}", prefix + "row:thing:%d:invalid", prefix + "{page:%d}"}[d.dice.IntN(3)]
	key = fmt.Sprintf(key, id)
	from := d.place.cluster.Master(key)
	for _, to := range d.place.masters() {
		if to != from {
			d.place.cluster.Migrate(key, to, func() { d.wait(d.between(0, 30*time.Millisecond)) })
			return
		}
	}
}
