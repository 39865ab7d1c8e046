package freshness

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
)

// The nodes of loads inside loads: outer loads middle, which loads inner. Only inner names what it depends on; the
// others have it handed up.
type (
	outer struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	middle struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	inner struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	// hardyInner stands in for a load that failed.
	hardyInner struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	// briefInner expires soon and may stand in for long.
	briefInner struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	staleOuter struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
)

const briefTTL = 10 * time.Second

func (outer) Meta() cacheme.Meta  { return cacheme.Meta{Key: "nested:outer:<id>"} }
func (middle) Meta() cacheme.Meta { return cacheme.Meta{Key: "nested:middle:<id>"} }
func (inner) Meta() cacheme.Meta  { return cacheme.Meta{Key: "nested:inner:<id>"} }
func (hardyInner) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "nested:hardy:<id>", StaleIfError: staleAge}
}

func (briefInner) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "nested:brief:<id>", TTL: briefTTL, Stale: staleAge}
}

func (staleOuter) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "nested:stale:<id>", Stale: staleAge}
}

func (n inner) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{bookChanged{ID: n.ID}} }

func (n hardyInner) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{bookChanged{ID: n.ID}} }

func (n briefInner) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{bookChanged{ID: n.ID}} }

// source is what a loader reads.
type source = func(context.Context, *instance) (int64, error)

// database is where every nest ends.
func (s *stage) database() source {
	return func(context.Context, *instance) (int64, error) { return s.row().version.Load(), nil }
}

// through gets node in place of what it loads.
func through[N cacheme.NodeOf[int64]](node N, from source) source {
	return func(ctx context.Context, i *instance) (int64, error) {
		return cacheme.GetFrom(ctx, i.cache, node, func(ctx context.Context, _ N) (int64, error) { return from(ctx, i) })
	}
}

// Nested plays loads inside loads, where the outer entry and everybody who shares its load hang on what the inner ones
// depend on, whatever became of those.
func Nested(t *testing.T) {
	for _, c := range nestedSchedules() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if broke := c.run(t, broken{}); broke != nil {
				t.Error(broke)
			}
		})
	}
}

func nestedSchedules() []schedule {
	var all []schedule
	add := func(name string, play func(s *stage)) {
		s := subjectOf("outer", func(id int64) outer { return outer{ID: id} }, rowOf)
		all = append(all, schedule{name: name, subject: s, play: play})
	}
	add("an inner entry that becomes wrong takes the outer one with it", func(s *stage) {
		s.source = through(inner{ID: id}, s.database())
		s.readThenWrite()
	})
	add("an innermost entry that becomes wrong takes all with it", func(s *stage) {
		s.source = through(middle{ID: id}, through(inner{ID: id}, s.database()))
		s.readThenWrite()
	})
	add("an inner result dependency is handed up", func(s *stage) {
		s.older()
		s.source = through(byResult{ID: id, Book: id}, s.database())
		s.readThenWrite()
	})
	add("an inner hit hands up what it was loaded under", func(s *stage) {
		s.source = through(inner{ID: id}, s.database())
		_, err := s.source(s.t.Context(), s.x)
		s.check("Get", err)
		s.writtenDuringLoad(func() { s.write(s.y, id) })
	})
	add("who joins the outer load after a write of the inner row asks again", func(s *stage) {
		s.source = through(inner{ID: id}, s.database())
		joinedAfterWrite(s)
	})
	add("who joins an outer load whose inner one ran under a hold asks again", func(s *stage) {
		s.source = through(inner{ID: id}, s.database())
		s.committedDuringLoad()
	})
	add("an innermost load under a hold keeps all outer ones from being stored", func(s *stage) {
		s.source = through(middle{ID: id}, through(inner{ID: id}, s.database()))
		h := s.hold(s.y, id)
		s.read(s.x, id, "a reader under the hold")
		s.commitHold(h)
		s.atRest(id)
	})
	add("an innermost bypass keeps all outer ones from being stored", func(s *stage) {
		past := through(inner{ID: id}, s.database())
		s.source = through(middle{ID: id}, func(ctx context.Context, i *instance) (int64, error) {
			return past(cacheme.Bypass(ctx), i)
		})
		s.readThenWrite()
	})
	add("who joins an outer load with a bypass inside asks again", func(s *stage) {
		past := through(inner{ID: id}, s.database())
		s.source = func(ctx context.Context, i *instance) (int64, error) { return past(cacheme.Bypass(ctx), i) }
		joinedAfterWrite(s)
	})
	add("an inner load whose result tokens could not be read keeps the outer one from being stored", func(s *stage) {
		s.older()
		s.source = through(byResult{ID: id, Book: id}, s.database())
		s.x.fail(late, errors.New("the line was cut"))
		s.readThenWrite()
	})
	add("an inner answer of not found hands up all the same", func(s *stage) {
		s.source = s.orElse(through(middle{ID: id}, func(ctx context.Context, i *instance) (int64, error) {
			_, err := through(inner{ID: id}, s.database())(ctx, i)
			return 0, errors.Join(err, cacheme.ErrNotFound)
		}))
		s.readThenWrite()
	})
	add("an inner load that failed hands up, or keeps the outer one from being stored", func(s *stage) {
		s.source = s.orElse(through(inner{ID: id}, func(context.Context, *instance) (int64, error) {
			return 0, errors.New("the inner load failed")
		}))
		s.readThenWrite()
	})
	add("an inner value that stands in for a failed load does not make a fresh outer one", func(s *stage) {
		working := through(hardyInner{ID: id}, s.database())
		_, err := working(s.t.Context(), s.x)
		s.check("Get", err)
		s.write(s.y, id)
		s.source = through(hardyInner{ID: id}, func(context.Context, *instance) (int64, error) {
			return 0, errors.New("the inner load failed")
		})
		r := s.start(s.x, id, "the reader who is content with an old value")
		r.floor = 0
		r.end()
		s.source = working
		s.atRest(id)
	})
	add("a Peek inside a load hands up", func(s *stage) {
		peeked := through(inner{ID: id}, s.database())
		s.source = func(ctx context.Context, i *instance) (int64, error) {
			if _, err := peeked(context.WithoutCancel(s.t.Context()), i); err != nil {
				return 0, err
			}
			b, err := cacheme.Bind(i.cache, func(context.Context, inner) (int64, error) { return 0, errors.New("this loads nothing") })
			if err != nil {
				return 0, err
			}
			r, err := b.Peek(ctx, inner{ID: id})
			return r.Value, err
		}
		s.readThenWrite()
	})
	add("an inner value that stood in past its end does not make a fresh outer one", func(s *stage) { expiredInside(s, false) })
	add("an innermost value that stood in past its end does not make a fresh outermost one", func(s *stage) { expiredInside(s, true) })
	all = append(all,
		schedule{name: "who joins a load whose result tokens cannot be read asks again", subject: result(), play: func(s *stage) {
			s.older()
			s.x.fail(late, errors.New("the line was cut"))
			joinedAfterWrite(s)
		}})
	return all
}

// readThenWrite: a reader, a write, a reader.
func (s *stage) readThenWrite() {
	s.t.Helper()
	s.read(s.x, id, "the first reader")
	s.write(s.y, id)
	s.atRest(id)
}

// committedDuringLoad: a load begins under a hold, the hold's transaction commits and releases, a reader comes.
func (s *stage) committedDuringLoad() {
	s.t.Helper()
	h := s.hold(s.y, id)
	r := s.start(s.x, id, "the reader under the hold")
	r.isLoading()
	s.commitHold(h)
	later := s.joined(s.x, "a reader after the COMMIT")
	r.end()
	later.result()
	s.atRest(id)
}

func (s *stage) commitHold(h *cacheme.Hold) {
	s.t.Helper()
	v := s.row().version.Add(1)
	s.check("Commit", h.Commit(s.t.Context()))
	s.row().promise(v)
}

// orElse is a loader that copes with an inner one that gives nothing: it reads the database itself.
func (s *stage) orElse(from source) source {
	return func(ctx context.Context, i *instance) (int64, error) {
		if v, err := from(ctx, i); err == nil {
			return v, nil
		}
		return s.row().version.Load(), nil
	}
}

// expiredInside: an inner value has expired, and stands in while another process loads it. The outer entry that is made
// of it may stand in too, but when the inner load is over it is not fresh.
func expiredInside(s *stage, deep bool) {
	fromBrief := through(briefInner{ID: id}, s.database())
	_, err := fromBrief(s.t.Context(), s.x)
	s.check("Get", err)
	if deep {
		fromBrief = through(middle{ID: id}, fromBrief)
	}
	s.pass(2 * briefTTL)
	s.commit()

	loading, goOn, over := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_, err := through(briefInner{ID: id}, func(context.Context, *instance) (int64, error) {
			close(loading)
			<-goOn
			return s.row().version.Load(), nil
		})(s.t.Context(), s.y)
		over <- err
	}()
	<-loading
	get := func() cacheme.Result[int64] {
		b, err := cacheme.Bind(s.x.cache, func(ctx context.Context, _ staleOuter) (int64, error) { return fromBrief(ctx, s.x) })
		s.check("Bind", err)
		r, err := b.GetResult(s.t.Context(), staleOuter{ID: id})
		s.check("GetResult", err)
		return r
	}
	get()
	close(goOn)
	s.check("Get", <-over)
	if r := get(); r.Value != s.row().version.Load() && !r.Stale {
		s.breach("a value that had expired before it was loaded was called fresh: %+v", r)
	}
}
