package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

func (p *program) verify() *cobra.Command {
	var limit, show int
	c := &cobra.Command{
		Use: "verify", GroupID: groupRun, Args: cobra.NoArgs,
		Short: "Look whether what is in Redis is whole, and whether an old value was served",
		Long: `Look whether what is in Redis is whole, and whether an old value was served.

Reads every key of the prefix in small steps: entries have to decode, tokens have to be readable, each key has to end by itself, and nothing
else may have the prefix. Then it asks the processes how many hits they compared with their loaders (Options.Verify), and how many of these were
old: expected are 0. The exit code is 1 if anything is wrong. It changes nothing; what is not whole is a miss for the services.`,
		Example: `  cacheme verify
  cacheme verify --limit 100000        of a large Redis, the first keys
  cacheme verify --json | jq '.problems | length'`,
	}
	c.Flags().IntVar(&limit, "limit", 0, "how many keys of the server to look at, about; 0: all")
	c.Flags().IntVar(&show, "show", 20, "how many problems to show with their keys")
	return p.does(c, func(ctx context.Context, _ []string) error {
		if limit < 0 || show < 0 {
			return usagef("--limit and --show are numbers of keys")
		}
		return p.attached(ctx, func(k *cacheme.Console, rdb redis.UniversalClient) error {
			v := verifier{p: p, limit: limit, show: show, Problems: []problem{}, progress: progress{p: p}}
			err := v.run(ctx, rdb)
			v.progress.clear()
			if err != nil {
				return err
			}
			fleet, err := k.Fleet(ctx)
			if err != nil {
				return err
			}
			for _, process := range fleet {
				v.Verified += process.Stats.Verified
				v.Violations += process.Stats.Violations
			}
			return v.print()
		})
	})
}

// verifier looks through the keys of the prefix. Its exported fields are what verify says, as JSON.
type verifier struct {
	p           *program
	limit, show int
	progress    progress
	looked      int

	Entries  int       `json:"entries"`
	Tokens   int       `json:"tokens"`
	Others   int       `json:"others"` // leases, records of writes and the like
	Complete bool      `json:"complete"`
	Found    int       `json:"found"`
	Problems []problem `json:"problems"` // the first of them

	Verified   uint64 `json:"verified"`   // hits that were compared with their loaders
	Violations uint64 `json:"violations"` // and were old
}

// problem is a key that is not as it has to be.
type problem struct {
	Key     string `json:"key"` // in Redis
	Problem string `json:"problem"`
}

const (
	verifyStep  = 1000 // keys that one SCAN looks at
	verifyFetch = 50   // values that one trip fetches; they may be large
)

func (v *verifier) run(ctx context.Context, rdb redis.UniversalClient) error {
	return eachMaster(ctx, rdb, func(server redis.UniversalClient) error {
		total, err := server.DBSize(ctx).Result()
		if err != nil {
			return err
		}
		var cursor uint64
		for looked := 0; v.limit == 0 || v.looked < v.limit; {
			keys, next, err := server.Scan(ctx, cursor, literally(v.p.prefix)+"*", verifyStep).Result()
			if err != nil {
				return err
			}
			for len(keys) > 0 {
				n := min(len(keys), verifyFetch)
				if err := v.look(ctx, server, keys[:n]); err != nil {
					return err
				}
				keys = keys[n:]
			}
			looked, v.looked = looked+verifyStep, v.looked+verifyStep
			v.progress.tellf("%s problems, looked at %s of %s keys", count(v.Found), count(min(looked, int(total))), count(total))
			if cursor = next; cursor == 0 {
				v.Complete = true
				return nil
			}
		}
		v.Complete = false
		return nil
	})
}

// literally is a prefix as a glob pattern has it.
func literally(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(prefix)
}

// look looks at some keys of one server.
func (v *verifier) look(ctx context.Context, server redis.UniversalClient, keys []string) error {
	ctx, cancel := context.WithTimeout(ctx, v.p.timeout)
	defer cancel()
	pipe := server.Pipeline()
	lives, values := make([]*redis.DurationCmd, len(keys)), make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		lives[i] = pipe.PTTL(ctx, key)
		if kind := v.kindOf(key); kind == anEntry || kind == aToken {
			values[i] = pipe.Get(ctx, key)
		}
	}
	_, err := pipe.Exec(ctx)
	var refused redis.Error
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	for i, key := range keys {
		if lives[i].Err() != nil {
			return lives[i].Err() // a slot that moves, a user who may not
		}
		if lives[i].Val() == gone {
			continue
		}
		switch kind := v.kindOf(key); kind {
		case anEntry:
			v.Entries++
			v.judge(key, values[i], entryProblem)
		case aToken:
			v.Tokens++
			v.judge(key, values[i], tokenProblem)
		case another:
			v.Others++
		default:
			v.found(key, "is no key of cacheme: somebody else writes under the prefix")
			continue
		}
		if lives[i].Val() == endless {
			v.found(key, "never ends: a key of cacheme always has a TTL, so somebody else has changed it")
		}
	}
	return nil
}

// What PTTL answers of a key that is gone, and of one that has no end.
const (
	gone    = -2 * time.Nanosecond
	endless = -1 * time.Nanosecond
)

// keyKind is what a key of the prefix is.
type keyKind int

const (
	foreign keyKind = iota
	anEntry
	aToken
	another
)

func (v *verifier) kindOf(key string) keyKind {
	rest, _ := strings.CutPrefix(key, v.p.prefix)
	_, isToken := store.TokenNameOf(v.p.prefix, key)
	switch {
	case strings.HasPrefix(rest, "{") && strings.HasSuffix(rest, ":lease"):
		return another
	case strings.HasPrefix(rest, "{") && strings.Contains(rest, "}"):
		return anEntry
	case strings.HasPrefix(rest, "meta:"):
		return another
	case isToken:
		return aToken
	}
	return foreign
}

// judge looks at a value. One that has gone meanwhile is none.
func (v *verifier) judge(key string, value *redis.StringCmd, problem func(text string) string) {
	text, err := value.Result()
	switch {
	case errors.Is(err, redis.Nil):
	case err != nil:
		v.found(key, "is no string: "+err.Error())
	default:
		if what := problem(text); what != "" {
			v.found(key, what)
		}
	}
}

// largestValue is Options.MaxValue at its most, and what a value may be unpacked to.
const largestValue = 8 << 20

func entryProblem(text string) string {
	_, err := envelope.Decode([]byte(text), largestValue)
	if corrupt, ok := errors.AsType[*envelope.CorruptError](err); ok {
		return "is no entry that this version can read: " + corrupt.Reason
	}
	return ""
}

func tokenProblem(text string) string {
	if store.IsRecord(text) {
		return ""
	}
	return "is no token that can be read"
}

func (v *verifier) found(key, what string) {
	if v.Found++; len(v.Problems) < v.show {
		v.Problems = append(v.Problems, problem{Key: key, Problem: what})
	}
}

func (v *verifier) print() error {
	if v.p.json {
		if err := v.p.document(v); err != nil {
			return err
		}
	} else {
		for _, one := range v.Problems {
			fmt.Fprintf(v.p.out, "%s %s\n", printable(one.Key), printable(one.Problem))
		}
		if more := v.Found - len(v.Problems); more > 0 {
			fmt.Fprintf(v.p.out, "and %s more, see --show\n", count(more))
		}
		fmt.Fprintf(v.p.out, "%s, %s tokens and %s other keys: %s problems\n", entries(v.Entries), count(v.Tokens), count(v.Others), count(v.Found))
		if !v.Complete {
			fmt.Fprintf(v.p.out, "and what is among the rest: it stopped at --limit %d\n", v.limit)
		}
		fmt.Fprintf(v.p.out, "the processes compared %s hits with what their loaders give: %s were old\n", count(v.Verified), count(v.Violations))
	}
	if v.Found > 0 || v.Violations > 0 {
		return errFound
	}
	return nil
}
