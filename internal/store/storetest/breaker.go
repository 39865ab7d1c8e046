package storetest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

// wire lets a test decide what becomes of what a client sends.
type wire struct {
	mode  atomic.Pointer[wireMode]
	trips atomic.Int64
}

// wireMode takes the place of a round trip where it returns false.
type wireMode func(ctx context.Context) (err error, pass bool)

func (v *wire) set(m wireMode) { v.mode.Store(&m) }
func (v *wire) heal()          { v.mode.Store(nil) }

func (v *wire) fail(err error) {
	v.set(func(context.Context) (error, bool) { return err, false })
}

// hang answers nothing until the returned func is called. It does not heed contexts, as a client without
// ContextTimeoutEnabled does not.
func (v *wire) hang() (release func()) {
	released := make(chan struct{})
	v.set(func(context.Context) (error, bool) {
		<-released
		return &net.OpError{Op: "read", Err: errors.New("the wire was cut")}, false
	})
	return sync.OnceFunc(func() { close(released) })
}

func (v *wire) through(ctx context.Context, send func() error) error {
	v.trips.Add(1)
	if m := v.mode.Load(); m != nil {
		if err, pass := (*m)(ctx); !pass {
			return err
		}
	}
	return send()
}

func (v *wire) DialHook(next redis.DialHook) redis.DialHook { return next }

func (v *wire) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := v.through(ctx, func() error { return next(ctx, cmd) })
		if err != nil && cmd.Err() == nil {
			cmd.SetErr(err)
		}
		return err
	}
}

func (v *wire) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := v.through(ctx, func() error { return next(ctx, cmds) })
		for _, cmd := range cmds {
			if err != nil && cmd.Err() == nil {
				cmd.SetErr(err)
			}
		}
		return err
	}
}

// answer is an error that a Redis which works, or one which does not for now, replies with.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

// foreign is a client that the store knows nothing of: what overruns has to be abandoned.
type foreign struct{ redis.UniversalClient }

// wired returns a store whose round trips the test decides on, after its first one.
func (w *world) wired(with ...func(*store.Options)) (*store.Store, *wire) {
	w.Helper()
	rdb, v := w.client(), &wire{}
	rdb.AddHook(v)
	s := w.storeOn(foreign{rdb}, with...)
	w.epoch(s)
	return s, v
}

// hole is a network that can lose all that is sent.
type hole struct {
	open      atomic.Bool
	swallowed atomic.Int64 // writes
}

// dig has a client's connections go through the hole.
func (h *hole) dig(o *redis.Options) {
	dial := o.Dialer
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return holed{conn, h}, err
	}
}

type holed struct {
	net.Conn
	hole *hole
}

func (c holed) Write(b []byte) (int, error) {
	if c.hole.open.Load() {
		c.hole.swallowed.Add(1)
		return len(b), nil
	}
	return c.Conn.Write(b)
}

var errCut = &net.OpError{Op: "read", Err: errors.New("connection reset")}

func (w *world) try(s *store.Store) error {
	_, err := s.Read(w.Context(), patience, []string{w.token()})
	return err
}

func breaking() group {
	return group{"breaker", []check{
		{"it opens after three failures in a row, and then nobody asks", anything, func(w *world) {
			var told atomic.Int64
			s, v := w.wired(func(o *store.Options) {
				o.OnBreaker = func(open bool, _ error) {
					if open {
						told.Add(1)
					}
				}
			})
			v.fail(errCut)
			for i := range 3 {
				if s.Away() {
					w.Fatalf("open after %d failures", i)
				}
				if err := w.try(s); !errors.Is(err, errCut) {
					w.Fatalf("Read over a cut wire: %v", err)
				}
			}
			if !s.Away() || told.Load() != 1 {
				w.Errorf("after three failures: Away() = %v, told %d times", s.Away(), told.Load())
			}
			if err := w.try(s); !errors.Is(err, store.ErrAway) {
				w.Errorf("Read with the breaker open: %v, want ErrAway", err)
			}
		}},
		{"an answer between failures keeps it closed", anything, func(w *world) {
			s, v := w.wired()
			for range 4 {
				v.fail(errCut)
				_, _ = w.try(s), w.try(s)
				v.heal()
				w.must("Read", w.try(s))
			}
			if s.Away() {
				w.Errorf("open, though every third call was answered")
			}
		}},
		{"an error that Redis answers with does not open it", anything, func(w *world) {
			s, v := w.wired()
			for _, reply := range []answer{"ERR unknown command", "WRONGTYPE", "OOM command not allowed", "MISCONF", "NOREPLICAS"} {
				v.fail(reply)
				for range 4 {
					if err := w.try(s); !errors.Is(err, reply) {
						w.Errorf("Read = %v, want %v", err, reply)
					}
				}
				if s.Away() {
					w.Errorf("open after %s", reply)
				}
			}
		}},
		{"a Redis that cannot be used is as good as away", anything, func(w *world) {
			for _, reply := range []answer{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN"} {
				s, v := w.wired()
				v.fail(reply)
				for range 3 {
					_ = w.try(s)
				}
				if !s.Away() {
					w.Errorf("closed after three times %s", reply)
				}
			}
		}},
		{"a caller who gives up says nothing of Redis", anything, func(w *world) {
			s, v := w.wired()
			release := v.hang()
			defer release()
			for range 5 {
				ctx, cancel := context.WithCancel(w.Context())
				before := v.trips.Load()
				go func() {
					for v.trips.Load() == before { // give up only when it is on its way
						<-time.After(time.Millisecond)
					}
					cancel()
				}()
				if _, err := s.Read(ctx, patience, []string{w.token()}); !errors.Is(err, context.Canceled) {
					w.Errorf("Read = %v, want the caller's own end", err)
				}
			}
			if s.Away() {
				w.Errorf("open, though nobody waited")
			}
		}},
		{"what has to be delivered goes first, then everybody", anything, func(w *world) {
			var s *store.Store
			var mu sync.Mutex
			var story []string
			tell := func(what string) {
				mu.Lock()
				defer mu.Unlock()
				story = append(story, what)
			}
			returned := 0
			key := w.token()
			s, v := w.wired(func(o *store.Options) {
				o.OnBreaker = func(open bool, _ error) {
					tell(map[bool]string{true: "open", false: "closed"}[open])
				}
				o.OnReturn = func() error {
					if !s.Away() {
						tell("others were let through")
					}
					if returned++; returned == 1 {
						tell("not delivered")
						return errCut
					}
					tell("delivered")
					_, err := s.Deliver(w.Context(), patience, store.Mark{}, []string{key})
					return err
				}
			})
			v.fail(errCut)
			for range 3 {
				_ = w.try(s)
			}
			v.heal()
			w.until("the breaker closes", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return slices.Contains(story, "closed")
			})
			mu.Lock()
			defer mu.Unlock()
			if want := []string{"open", "not delivered", "delivered", "closed"}; !slices.Equal(story, want) {
				w.Errorf("what happened: %q, want %q", story, want)
			}
			if s.Away() || !w.see(s, key).Exists {
				w.Errorf("Away() = %v, the token that was delivered is %+v", s.Away(), w.see(s, key))
			}
		}},
		{"it works without being told whom to tell", anything, func(w *world) {
			s, v := w.wired()
			v.fail(errCut)
			for range 3 {
				_ = w.try(s)
			}
			v.heal()
			w.until("the breaker closes", func() bool { return !s.Away() })
			w.must("Read", w.try(s))
		}},
		{"a call without an answer is given up when its budget is spent", anything, func(w *world) {
			const budget, slack = 50 * time.Millisecond, 5 * time.Second
			client := func(heeds bool, h *hole) redis.UniversalClient {
				return w.server.Client(h.dig, func(o *redis.Options) {
					o.ReadTimeout, o.ContextTimeoutEnabled = slack, heeds
				})
			}
			for name, of := range map[string]func(h *hole) redis.UniversalClient{
				"a client that heeds contexts":        func(h *hole) redis.UniversalClient { return client(true, h) },
				"a client that does not":              func(h *hole) redis.UniversalClient { return client(false, h) },
				"a client that nobody knows, neither": func(h *hole) redis.UniversalClient { return foreign{client(false, h)} },
			} {
				h := &hole{}
				s := w.storeOn(of(h))
				w.epoch(s)
				h.open.Store(true)
				for range 3 {
					from := time.Now()
					_, err := s.Read(w.Context(), budget, []string{w.token()})
					if took := time.Since(from); took < budget/2 || took > slack {
						w.Errorf("%s: Read took %v of a budget of %v", name, took, budget)
					}
					if err == nil {
						w.Errorf("%s: Read through a hole succeeded", name)
					}
				}
				if !s.Away() {
					w.Errorf("%s: closed after three budgets without an answer", name)
				}
				h.open.Store(false)
				w.until("the breaker closes", func() bool { return !s.Away() })
				w.must(name, w.try(s))
			}
		}},
		{"who waits for another to ask for the run of Redis keeps to his own budget", anything, func(w *world) {
			const budget, slack = 50 * time.Millisecond, 2 * time.Second
			h := &hole{}
			s := w.storeOn(w.server.Client(h.dig, func(o *redis.Options) { o.ReadTimeout = 2 * slack }))
			h.open.Store(true)
			patient, cancel := context.WithTimeout(w.Context(), 2*slack)
			defer cancel()
			var asking sync.WaitGroup
			defer asking.Wait()
			key := w.token()
			asking.Go(func() { _, _ = s.Invalidate(patient, patience, store.Mark{}, []string{key}) })
			w.until("he asks", func() bool { return h.swallowed.Load() > 0 })
			from := time.Now()
			_, err := s.Invalidate(w.Context(), budget, store.Mark{}, []string{w.token()})
			if took := time.Since(from); err == nil || took > slack {
				w.Errorf("Invalidate = %v after %v of a budget of %v", err, took, budget)
			}
		}},
		{"a close waits for what is under way, up to its context", anything, func(w *world) {
			s, v := w.wired()
			release := v.hang()
			defer release()
			_, _ = s.Read(w.Context(), time.Millisecond, []string{w.token()})
			ended, cancel := context.WithCancel(w.Context())
			cancel()
			if err := s.Close(ended); !errors.Is(err, context.Canceled) {
				w.Errorf("Close(ended context) with a trip under way = %v", err)
			}
			release()
			w.must("Close", s.Close(w.Context()))
			if err := w.try(s); !errors.Is(err, store.ErrAway) {
				w.Errorf("Read after Close = %v, want ErrAway", err)
			}
		}},
	}}
}
