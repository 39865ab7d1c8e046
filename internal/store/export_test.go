package store

import (
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// ParseRecord is the parser of what the scripts write.
func ParseRecord(text string, epoch Epoch, now uint64) Dependency {
	return parseRecord(text, epoch.text(), now)
}

// Unsettles reports whether a reply makes an epoch unknown that was read when there was one master.
func Unsettles(rules guard.Set, master, addr string, cmds ...redis.Cmder) bool {
	k := epochKeeper{rules: rules}
	k.known.Store(&knownEpoch{masters: map[string]bool{master: true}})
	k.answered(addr, cmds...)
	return k.dials.Load() != 0
}
