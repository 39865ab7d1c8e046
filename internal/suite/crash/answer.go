package crash

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// Line is a way to a database that a test can break.
type Line struct {
	Connector driver.Connector
	Mute      func() // from now on no answer arrives; what is sent does
	Cut       func() // the connections break
	Heal      func()
}

// Answer cuts off the answer to a COMMIT that the database has carried out. The writer cannot know, so its rows stay
// held to the deadline, and are made wrong: the COMMIT might still have been on its way.
func Answer(t *testing.T, open func(t testing.TB) (Place, Line)) {
	p, line := open(t)
	s := survive(t, p)
	for _, c := range []struct {
		name        string
		alone       bool
		afterCommit bool
	}{{"a transaction", false, false}, {"a statement", true, false}, {"a transaction, invalidated after its COMMIT", false, true}} {
		if err := s.unanswered(t, line, c.alone, c.afterCommit); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		s.next += RowsOfDeed
	}
}

func (s *survivor) unanswered(t *testing.T, line Line, alone, afterCommit bool) error {
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	d := Deed{First: s.next, Alone: alone}
	if err := s.plant(ctx, d); err != nil {
		return err
	}
	// The line is muted between hold and COMMIT, and cut once others see what was committed.
	arrived := make(chan error, 1)
	mute := func(_ context.Context, c tap.Call, do func() error) error {
		if c.Commits() {
			line.Mute()
			go func() {
				arrived <- s.arrives(ctx, d)
				line.Cut()
			}()
		}
		return do()
	}
	rdb := s.Redis.Client(suite.PatientClient)
	cache := suite.NewCache(t, rdb, options(s.order()), declarations()...)
	install := []bunhooks.Option{bunhooks.WithLogger(slog.New(slog.DiscardHandler))}
	if afterCommit {
		install = append(install, bunhooks.AfterCommit())
	}
	sqldb := sql.OpenDB(bunhooks.WrapConnector(&tap.Connector{Connector: line.Connector, Around: mute}))
	defer sqldb.Close()
	db, err := bunhooks.Install(bun.NewDB(sqldb, s.Bun()), cache, install...)
	if err != nil {
		return err
	}
	if alone {
		err = write(ctx, db, d.First, written)
	} else {
		err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return write(ctx, tx, d.First, written) })
	}
	returned := time.Now()
	line.Heal()
	switch arrived := <-arrived; {
	case arrived != nil:
		return arrived
	case err == nil:
		return errors.New("a COMMIT without an answer: no error")
	case errors.Is(err, driver.ErrBadConn):
		return fmt.Errorf("a COMMIT without an answer: %w, on which database/sql would run it again", err)
	}
	// A hold was begun or renewed within so long before.
	is, err := s.held(ctx, d)
	switch {
	case err != nil:
		return err
	case !is && time.Since(returned) < s.Hold/2:
		return errors.New("the rows are not held, and the COMMIT might be still on its way")
	}
	if err := s.watch(ctx, []Deed{d}); err != nil {
		return err
	}
	return s.healed(ctx, Deed{Point: BeforeRelease, First: d.First})
}

// arrives waits until others see what a deed has committed.
func (s *survivor) arrives(ctx context.Context, d Deed) error {
	for {
		got, err := versionOf(ctx, s.admin, d.First)
		if err != nil || got == written {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the COMMIT did not arrive: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}
