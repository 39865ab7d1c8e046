package guard_test

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

func TestSet(t *testing.T) {
	t.Parallel()
	t.Run("the_zero_Set_leaves_every_rule_on", func(t *testing.T) {
		t.Parallel()
		for r := guard.EqualTokens; r <= guard.FenceOnStatement; r++ {
			if guard.Set(0).Off(r) {
				t.Errorf("rule %d is off", r)
			}
		}
	})
	t.Run("each_rule_is_switched_off_alone", func(t *testing.T) {
		t.Parallel()
		for r := guard.EqualTokens; r <= guard.FenceOnStatement; r++ {
			s := guard.Without(r)
			for other := guard.EqualTokens; other <= guard.FenceOnStatement; other++ {
				if got, want := s.Off(other), other == r; got != want {
					t.Errorf("Without(%d).Off(%d) = %v, want %v", r, other, got, want)
				}
			}
		}
	})
	t.Run("several_rules_are_switched_off_together", func(t *testing.T) {
		t.Parallel()
		s := guard.Without(guard.Probation, guard.EpochBinds)
		if !s.Off(guard.Probation) || !s.Off(guard.EpochBinds) || s.Off(guard.EqualTokens) {
			t.Errorf("Without(Probation, EpochBinds) = %b", s)
		}
	})
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "nowhere:1"})
	t.Cleanup(func() { _ = rdb.Close() })
	shout := func(name, source string) string { return name + ": " + source }

	for _, c := range []struct {
		name  string
		of    redis.UniversalClient
		rules guard.Set
		text  string
	}{
		{"a_plain_client_breaks_nothing", rdb, 0, "source"},
		{"a_Client_without_switches_breaks_nothing", &guard.Client{UniversalClient: rdb}, 0, "source"},
		{
			"a_Client_carries_its_rules",
			&guard.Client{UniversalClient: rdb, Rules: guard.Without(guard.Probation)},
			guard.Without(guard.Probation), "source",
		},
		{"a_Client_carries_its_rewriting", &guard.Client{UniversalClient: rdb, Rewrite: shout}, 0, "fill: source"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, rules, rewrite := guard.Unwrap(c.of)
			if got != redis.UniversalClient(rdb) {
				t.Errorf("client = %v, want the one that was wrapped", got)
			}
			if rules != c.rules {
				t.Errorf("rules = %b, want %b", rules, c.rules)
			}
			if text := rewrite("fill", "source"); text != c.text {
				t.Errorf("rewrite = %q, want %q", text, c.text)
			}
		})
	}
}

// database is a connector to nowhere.
type database struct{ name string }

func (database) Connect(context.Context) (driver.Conn, error) { return nil, driver.ErrBadConn }
func (database) Driver() driver.Driver                        { return nil }

func TestUnwrapConnector(t *testing.T) {
	t.Parallel()
	plain := database{"books"}
	for _, c := range []struct {
		name  string
		of    driver.Connector
		rules guard.Set
	}{
		{"a_plain_connector_breaks_nothing", plain, 0},
		{"a_Connector_without_switches_breaks_nothing", &guard.Connector{Connector: plain}, 0},
		{
			"a_Connector_carries_its_rules",
			&guard.Connector{Connector: plain, Rules: guard.Without(guard.FenceOnStatement)},
			guard.Without(guard.FenceOnStatement),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, rules := guard.UnwrapConnector(c.of)
			if got != driver.Connector(plain) || rules != c.rules {
				t.Errorf("UnwrapConnector() = %v, %b, want %v, %b", got, rules, plain, c.rules)
			}
		})
	}
}
