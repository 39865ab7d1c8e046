package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// opening is what some loads ask for before they begin, as calls of one script, and what it answered. A token that several
// of them depend on is asked for once.
type opening struct {
	s     *Store
	epoch Epoch
	hold  int64 // ms
	short int64 // ms by which the probations that the caller wrote are too short

	loads  []opened
	keys   []string // of the tokens
	places map[string]int
	lives  []int64 // ms that they have to live
	calls  []openingCall

	times   []uint64 // Redis's, of each call
	tokens  []Dependency
	created []bool
}

// opened is one load of an opening.
type opened struct {
	want   Want
	lease  time.Duration
	at     []int // of its tokens
	answer int64
	start  uint64
}

// openingCall is one call of the script: on loads and tokens from and to.
type openingCall struct {
	cmd                            *redis.Cmd
	load, loadEnd, token, tokenEnd int
}

// What one call of the script takes: a script holds everybody else up while it runs.
const (
	loadsOfCall  = 100
	tokensOfCall = 400
)

func (s *Store) newOpening(epoch Epoch, hold, short int64) *opening {
	return &opening{s: s, epoch: epoch, hold: hold, short: short, places: map[string]int{}}
}

// load adds a load with its tokens.
func (o *opening) load(w Want, lease time.Duration) {
	at := make([]int, len(w.Tokens))
	for i, key := range w.Tokens {
		at[i] = o.token(key, w.Life)
	}
	o.loads = append(o.loads, opened{want: w, lease: lease, at: at})
}

// token adds a token that has to live for so long, and returns its place.
func (o *opening) token(key string, life time.Duration) int {
	at, known := o.places[key]
	if !known {
		at = len(o.keys)
		o.places[key] = at
		o.keys, o.lives = append(o.keys, key), append(o.lives, 0)
	}
	o.lives[at] = max(o.lives[at], life.Milliseconds())
	return at
}

// send calls the script, once where what is asked for is not too much. On a cluster each load and each token is a call of
// its own, because they are in different slots.
func (o *opening) send(ctx context.Context, pipe redis.Pipeliner) {
	loads, tokens := loadsOfCall, tokensOfCall
	if o.s.cluster != nil {
		loads, tokens = 1, 1
	}
	o.calls = o.calls[:0] // sent again, after the scripts were loaded
	nonce := randomNonce(ByLoad)
	for load, token := 0, 0; load < len(o.loads) || token < len(o.keys); {
		c := openingCall{load: load, token: token}
		c.loadEnd = min(load+loads, len(o.loads))
		c.tokenEnd = min(token+tokens, len(o.keys))
		if o.s.cluster != nil && c.load < c.loadEnd {
			c.tokenEnd = token
		}
		c.cmd = o.call(ctx, pipe, c, nonce)
		o.calls = append(o.calls, c)
		load, token = c.loadEnd, c.tokenEnd
	}
}

func (o *opening) call(ctx context.Context, pipe redis.Pipeliner, c openingCall, nonce string) *redis.Cmd {
	loads, tokens := o.loads[c.load:c.loadEnd], o.keys[c.token:c.tokenEnd]
	keys := make([]string, 0, 2*len(loads)+len(tokens))
	args := make([]any, 0, 5+4*len(loads)+len(tokens))
	args = append(args, len(loads), o.epoch.String(), nonce, o.hold, o.short)
	for i := range loads {
		w := &loads[i].want
		keys = append(keys, LeaseKey(w.Entry), w.Entry)
		args = append(args, w.Owner, loads[i].lease.Milliseconds(), flag(w.Force), w.Seen)
	}
	keys = append(keys, tokens...)
	for i, key := range tokens {
		life := o.lives[c.token+i]
		if o.s.lives.cover(key, o.s.Now(), life) {
			life = -life
		}
		args = append(args, life)
	}
	return o.s.scripts.begin.EvalSha(ctx, pipe, keys, args...)
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// read reads what the script answered.
func (o *opening) read() error {
	o.tokens, o.created = make([]Dependency, len(o.keys)), make([]bool, len(o.keys))
	run := o.epoch.text()
	for _, c := range o.calls {
		reply, err := c.cmd.Slice()
		if err != nil {
			return err
		}
		text, _ := reply[0].(string)
		now, _ := parseMicros(text)
		o.times = append(o.times, now)
		text, _ = reply[1].(string)
		fresh := parseRecord(text, run, 0)
		for i, answer := range list(reply[2]) {
			o.loads[c.load+i].answer, _ = answer.(int64)
			o.loads[c.load+i].start = now
		}
		lives := list(reply[4])
		for i, record := range list(reply[3]) {
			at := c.token + i
			if text, there := record.(string); there {
				o.tokens[at] = parseRecord(text, run, 0)
			} else {
				o.tokens[at], o.created[at] = fresh, true
			}
			life, _ := lives[i].(int64)
			o.s.lives.learn(o.keys[at], o.created[at], now, life)
		}
	}
	return nil
}

func list(reply any) []any {
	l, _ := reply.([]any)
	return l
}

// begun is how the load at a place stands.
func (o *opening) begun(i int) Begun {
	l := &o.loads[i]
	b := Begun{
		Mine: l.answer > 0, Garbage: l.answer == 2, Start: l.start, Epoch: o.epoch,
		Tokens: make([]Dependency, len(l.at)), Created: make([]bool, len(l.at)),
	}
	for j, at := range l.at {
		b.Tokens[j], b.Created[j] = o.tokens[at], o.created[at]
	}
	return b
}
