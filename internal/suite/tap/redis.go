package tap

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Purpose is what a round trip to Redis is for.
type Purpose string

// The purposes of a writer's round trips. Every other one, a reader's among them, is Other.
const (
	Other      Purpose = ""
	Hold       Purpose = "hold"
	Release    Purpose = "release"
	Invalidate Purpose = "invalidate"
)

// Trip is one round trip: a command, or the commands of a pipeline.
type Trip struct {
	Purpose Purpose
	Outcome string // of a Release: commit, rollback or doubt
	Cmds    []redis.Cmder
}

// Redis is a hook that calls Around in place of every round trip, on its goroutine. send sends commands, some or all of
// them and as often as it is called; what Around returns is what the caller gets.
type Redis struct {
	Around func(ctx context.Context, t Trip, send func(...redis.Cmder) error) error
}

// The arguments of the scripts by which a writer writes a token, behind the script, the count of keys and the key: epoch
// and nonce, then the hold time; an owner before it; an outcome after it; the channel of near caches last. A reader's have
// other counts or types.
const (
	arguments         = 4
	invalidateHasArgs = 4
	holdHasArgs       = 5
	releaseHasArgs    = 6
)

// newTrip tells what a round trip is for by its last command: the first may load a script.
func newTrip(cmds []redis.Cmder) Trip {
	t := Trip{Cmds: cmds}
	args := cmds[len(cmds)-1].Args()
	if name, _ := args[0].(string); name != "evalsha" || len(args) < arguments || args[2] != 1 {
		return t
	}
	if key, _ := args[3].(string); !strings.HasSuffix(key, ":invalid") {
		return t
	}
	switch len(args) - arguments {
	case releaseHasArgs:
		if outcome, ok := args[len(args)-2].(string); ok && (outcome == "commit" || outcome == "rollback" || outcome == "doubt") {
			t.Purpose, t.Outcome = Release, outcome
		}
	case holdHasArgs:
		if _, ok := args[arguments+2].(string); ok { // the owner: where a loader reads a token it is a number
			t.Purpose = Hold
		}
	case invalidateHasArgs:
		t.Purpose = Invalidate
	}
	return t
}

// Aside reports whether a command is one that a new connection brings along, at any time: its greeting, and the looks at
// which run of Redis it leads to, what that has lost, and on a cluster where the slots are.
func Aside(cmd redis.Cmder) bool {
	switch cmd.Name() {
	case "hello", "client", "info", "cluster":
		return true
	}
	return strings.Contains(cmd.String(), "meta:watch ")
}

// DialHook dials.
func (*Redis) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook goes around a command.
func (r *Redis) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := r.Around(ctx, newTrip([]redis.Cmder{cmd}), func(...redis.Cmder) error { return next(ctx, cmd) })
		if err != nil && cmd.Err() == nil {
			cmd.SetErr(err)
		}
		return err
	}
}

// ProcessPipelineHook goes around a pipeline.
func (r *Redis) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var passed error
		err := r.Around(ctx, newTrip(cmds), func(some ...redis.Cmder) error {
			passed = next(ctx, some)
			return passed
		})
		// What the client says of a pipeline is the first error of its commands, a key that is not there among them: each
		// has its own.
		if err != nil && !errors.Is(err, passed) {
			for _, cmd := range cmds {
				if cmd.Err() == nil {
					cmd.SetErr(err)
				}
			}
		}
		return err
	}
}
