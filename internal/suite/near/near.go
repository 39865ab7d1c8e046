// Package near is the acceptance suite of the near cache: what a process serves from its own memory is at most Lag behind
// what was written, whatever happens to the connection by which word of writes arrives.
//
// Run says what every user may rely on, and plays readers and writers at random. Guards takes each rule out in turn and
// shows that the suite then sees an old value. world.go is the stage: processes that cache rows of one source, and
// wire.go the connections that can be made to swallow what passes.
package near

import (
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/suite"
)

// lag is Options.Near.Lag of the worlds whose schedules wait for it.
const lag = 400 * time.Millisecond

// slack is what a busy machine may add to a time.
const slack = 5 * time.Second

// Run runs what is worth running on every kind of Redis.
func Run(t *testing.T, open suite.Open) {
	t.Helper()
	server := open(t)
	for name, test := range map[string]func(*testing.T, suite.Server){
		"a write is heard of":                                 heard,
		"a process sees its own writes at once":               own,
		"a hold ends what is near, a rollback brings it back": held,
		"a writer that dies with a hold":                      dead,
		"a broken connection":                                 cut,
		"a flush":                                             flushed,
		"Remove, Set and Refresh":                             replaced,
		"what the result depends on":                          results,
		"TTL":                                                 expires,
		"ways past it":                                        past,
		"what is loaded past the cache":                       skipped,
		"a write that cannot be delivered":                    undelivered,
		"whoever may not publish":                             mute,
		"Close while the client hangs":                        hangs,
		"Copy, and who changes what is shared":                shared,
		"not found":                                           negative,
		"GetMany":                                             many,
		"nodes that point to something":                       pointed,
		"random rounds":                                       random,
	} {
		if singly[name] && suite.IsCluster(server.Client()) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server)
		})
	}
}

// singly are the plays that break the one connection, or the one server, that a client has: of a cluster's it would be one of many.
var singly = map[string]bool{
	"a write that cannot be delivered": true,
	"Close while the client hangs":     true,
	"whoever may not publish":          true,
}
