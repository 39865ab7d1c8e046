package cachetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

// trips makes a step of each round trip of a client, and one of its reply.
type trips struct {
	w       *World
	prefix  string            // of the cache's keys
	scripts map[string]string // names by hash
}

func (h trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.trip(ctx, []redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (h trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.trip(ctx, cmds, func() error { return next(ctx, cmds) })
	}
}

func (h trips) trip(ctx context.Context, cmds []redis.Cmder, send func() error) error {
	if isHousekeeping(cmds) {
		return send()
	}
	s := h.w.stop(ctx, does, h.say(cmds))
	err := send()
	h.w.note(s, came(cmds, err))
	h.w.stop(ctx, hears, "hears from Redis")
	return err
}

// isHousekeeping reports whether nothing that is cached hangs on the commands: those of a new connection, and scripts
// that the server has not seen yet.
func isHousekeeping(cmds []redis.Cmder) bool {
	return !slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool {
		switch cmd.Name() {
		case "hello", "auth", "client", "select", "ping", "info", "script":
			return false
		}
		return true
	})
}

// words says what the scripts of a cache do.
var words = map[string]string{
	"renew": "renews the lease", "wait": "asks to be told of its end", "watch": "looks for losses",
	"invalidate": "makes wrong", "hold": "holds", "release": "ends the hold", "remove": "removes",
}

// say tells what a round trip does: in the cache's words, else the command.
func (h trips) say(cmds []redis.Cmder) string {
	var said []string
	for _, cmd := range cmds {
		if one := h.sayOne(cmd); one != "" && !slices.Contains(said, one) {
			said = append(said, one)
		}
	}
	const most = 4
	if len(said) > most {
		said = append(said[:most], fmt.Sprintf("and %d more", len(said)-most))
	}
	return strings.Join(said, ", ")
}

func (h trips) sayOne(cmd redis.Cmder) string {
	args := cmd.Args()
	switch cmd.Name() {
	case "mget":
		return "looks at " + h.key(args, 1)
	case "info":
		return ""
	case "evalsha":
		return h.sayScript(args)
	case "get":
		if h.key(args, 1) == recordKey {
			return words["watch"]
		}
	case "set":
		if strings.HasPrefix(h.key(args, 1), recordsOfWrites) {
			return ""
		}
	}
	shown := make([]string, 0, len(args))
	for i, arg := range args {
		if i == 0 {
			arg = strings.ToUpper(cmd.Name())
		}
		shown = append(shown, short(arg))
	}
	return strings.Join(shown, " ")
}

// sayScript tells what a script does: its keys are behind the hash and the count of keys, its arguments behind those.
func (h trips) sayScript(args []any) string {
	const hashAt, countAt, keyAt = 1, 2, 3
	if len(args) <= keyAt {
		return "runs a script"
	}
	hash, _ := args[hashAt].(string)
	count, _ := args[countAt].(int)
	name := h.scripts[hash]
	switch name {
	case "":
		return "runs a script on " + h.key(args, keyAt)
	case "renew", "wait", "watch":
		return words[name]
	case "begin":
		return sayBegin(count, args[keyAt+count:])
	case "fill":
		return h.sayFills(args[keyAt:keyAt+count], args[keyAt+count:])
	case "release":
		return fmt.Sprintf("%s on %s (%v)", words[name], h.key(args, keyAt), args[len(args)-2]) // the last is a channel
	}
	return words[name] + " " + h.key(args, keyAt)
}

// sayBegin tells what the script does that begins loads: two keys are those of a load, the others tokens.
func sayBegin(keys int, args []any) string {
	loads, _ := args[0].(int)
	var said []string
	if loads > 0 {
		said = append(said, "takes the lease")
	}
	if keys > 2*loads {
		said = append(said, "reads the tokens")
	}
	return strings.Join(said, ", ")
}

// sayFills tells what the script does that ends loads: of each there are two keys, and behind two channels five arguments, the
// second of which says whether it stores.
func (h trips) sayFills(keys, args []any) string {
	var said []string
	for i := 0; 2*i < len(keys); i++ {
		entry := h.key(keys, 2*i)
		if args[2+5*i+1] == "0" {
			said = append(said, "gives the lease of "+entry+" back and stores nothing")
		} else {
			said = append(said, "stores "+entry)
		}
	}
	return strings.Join(said, ", ")
}

// key is the name of what a Redis key of the cache stands for.
func (h trips) key(args []any, at int) string {
	if at >= len(args) {
		return ""
	}
	key := fmt.Sprint(args[at])
	if dependency, ok := store.TokenNameOf(h.prefix, key); ok {
		key = dependency
	}
	key = strings.TrimPrefix(key, h.prefix)
	return short(strings.NewReplacer("{", "", "}", "").Replace(key))
}

// came tells what a round trip brought: of a single command that tells something short.
func came(cmds []redis.Cmder, err error) string {
	switch {
	case errors.Is(err, redis.Nil):
		return "nothing"
	case err != nil:
		return err.Error()
	case len(cmds) > 1:
		return ""
	}
	if cmd, ok := cmds[0].(*redis.StringCmd); ok {
		return short(cmd.Val())
	}
	return ""
}

// short is a value as one reads it in a line.
func short(v any) string {
	const most = 40
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	text := fmt.Sprint(v)
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\uFFFD' }) {
		text = fmt.Sprintf("%d bytes", len(text))
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
