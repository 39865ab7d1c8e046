package store_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/store"
	"github.com/cacheme/cacheme/internal/suite"
)

var run = store.Epoch{1, 2, 3, 4, 5, 6}

const (
	past = 1_700_000_000_000_000
	soon = 1_800_000_000_000_000
)

func nonceText(n uint64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, n))
}

// short and long are the three forms of a record, see lua/token.lua.
func short() string {
	return fmt.Sprintf("t|%s|%d|%s|1", run, uint64(past), nonceText(7))
}

func long(state string) string {
	return fmt.Sprintf("%s|%s|%d|%s|0|%d|%s|%d", state, run, uint64(past), nonceText(7), uint64(past+1), nonceText(8), uint64(past+2))
}

// found is the record of a token that was found missing and has no other past.
func found(state string) string {
	return fmt.Sprintf("%s|%s|%d|%s|1|||%d", state, run, uint64(past), nonceText(7), uint64(past+2))
}

func TestParseRecord(t *testing.T) {
	t.Parallel()
	token := store.Token{Time: past, Nonce: 7}
	withPast := store.Dependency{Exists: true, Token: token, First: past + 1, Base: 8, Until: past + 2}
	held := withPast
	held.Held = true
	dirty := held
	dirty.Dirty, dirty.Writer = true, 10
	lapsed := held
	lapsed.Lapsed = true
	holder := func(deadline uint64) string { return fmt.Sprintf("%s:%d", nonceText(9), deadline) }

	for _, c := range []struct {
		name, text string
		want       store.Dependency
	}{
		{"a_token", short(), store.Dependency{Exists: true, Token: token}},
		{"a_token_with_a_past", long("t"), withPast},
		{"a_token_that_was_missing", found("t"), store.Dependency{Exists: true, Token: token, Until: past + 2}},
		{"a_token_whose_past_is_empty", short() + "|||", store.Dependency{Exists: true, Token: token}},
		{"a_hold_that_was_missing", found("h") + "|0|" + holder(soon), store.Dependency{Exists: true, Held: true, Token: token, Until: past + 2}},
		{"a_hold_without_a_past_time", "h" + short()[1:] + "||||0|" + holder(soon), store.Dependency{Exists: true, Held: true, Token: token}},
		{"a_past_of_two_fields", short() + "||", store.Dependency{}},
		{"a_past_that_is_none", short() + "x||", store.Dependency{}},
		{"a_time_that_is_too_short", found("t")[:len(found("t"))-1], store.Dependency{}},
		{"a_base_that_is_too_short", short() + "||AAAA|", store.Dependency{}},
		{"a_clean_hold", long("h") + "|0|" + holder(soon), held},
		{"a_dirty_hold", long("h") + "|" + nonceText(10) + "|" + holder(soon), dirty},
		{"a_hold_of_two", long("h") + "|0|" + holder(soon) + "," + holder(soon+1), held},
		{"a_hold_past_its_deadline", long("h") + "|0|" + holder(past), lapsed},
		{"a_hold_one_of_whose_deadlines_passed", long("h") + "|0|" + holder(soon) + "," + holder(past), lapsed},
		{"nothing", "", store.Dependency{}},
		{"another_run", strings.Replace(short(), run.String(), store.Epoch{}.String(), 1), store.Dependency{}},
		{"another_state", "x" + short()[1:], store.Dependency{}},
		{"a_hold_without_holders", long("h") + "|0|", store.Dependency{}},
		{"a_hold_without_a_past", "h" + short()[1:], store.Dependency{}},
		{"a_hold_by_a_write_that_is_none", long("h") + "|1|" + holder(soon), store.Dependency{}},
		{"a_hold_that_is_cut", long("h"), store.Dependency{}},
		{"a_hold_with_half_a_holder", long("h") + "|0|" + holder(soon)[:20], store.Dependency{}},
		{"a_token_that_goes_on", long("t") + "|", store.Dependency{}},
		{"a_time_that_is_none", strings.Replace(short(), "17", "1x", 1), store.Dependency{}},
		{"a_nonce_that_is_none", strings.Replace(short(), nonceText(7), "???????????", 1), store.Dependency{}},
		{"other_separators", strings.ReplaceAll(short(), "|", ":"), store.Dependency{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, store.ParseRecord(c.text, run, (past+soon)/2)); diff != "" {
				t.Errorf("ParseRecord(%q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(short(), uint64(past))
	f.Add(long("t"), uint64(past))
	f.Add(found("t"), uint64(past))
	f.Add(long("h")+"|0|"+nonceText(9)+":"+strconv.Itoa(soon), uint64(soon))
	f.Add("h|"+run.String()+"|", uint64(0))
	f.Fuzz(func(t *testing.T, text string, now uint64) {
		d := store.ParseRecord(text, run, now)
		if !d.Exists && d != (store.Dependency{}) {
			t.Errorf("ParseRecord(%q) = %+v: what is missing knows nothing", text, d)
		}
		if !d.Held && (d.Dirty || d.Lapsed || d.Writer != 0) {
			t.Errorf("ParseRecord(%q) = %+v: dirty or lapsed, and not held", text, d)
		}
		if other := store.ParseRecord(text, store.Epoch{9}, now); d.Exists && other.Exists {
			t.Errorf("ParseRecord(%q) is of two runs of Redis", text)
		}
		if !d.Exists {
			return
		}
		// What is told apart is written apart.
		for _, want := range []string{fmt.Sprintf("%016d", d.Token.Time), fmt.Sprintf("%016d", d.Until)} {
			if want != "0000000000000000" && !strings.Contains(text, want) {
				t.Errorf("ParseRecord(%q) = %+v, where %s is not written", text, d, want)
			}
		}
	})
}

// Whatever scripts do to a token in whatever order, the parser reads what they wrote: a touch, which returns the record,
// and a read agree, and what was done shows.
func TestTheParserAgreesWithTheScripts(t *testing.T) {
	t.Parallel()
	server := start(t, embedded.Options{Clock: embedded.Manual})
	prefix := suite.Prefix()
	s := store.New(server.Client(), store.Options{Prefix: prefix, Hold: 10 * time.Second})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	const budget = 20 * time.Second
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	key, ctx := s.TokenKey("row:book:1"), t.Context()
	see := func() store.Dependency {
		t.Helper()
		values, err := s.Read(ctx, budget, []string{key})
		if err != nil {
			t.Fatal(err)
		}
		d := values.Dependency(0)
		if text, ok := values.Text(0); ok != d.Exists {
			t.Fatalf("the parser takes %q for %+v", text, d)
		}
		d.Lapsed = false // a hint that hangs on the process's clock
		return d
	}
	owners := []string{store.NewOwner(), store.NewOwner(), store.NewOwner()}
	var told []string
	for range suite.Count(20_000) {
		owner := owners[random.IntN(len(owners))]
		var err error
		before := see()
		var what string
		switch random.IntN(7) {
		case 0:
			what = "touch"
			var begun []store.Begun
			begun, err = s.Begin(ctx, budget, time.Second, []store.Want{
				{Entry: s.EntryKey("e", ""), Owner: owner, Tokens: []string{key}, Life: time.Minute},
			})
			if err == nil {
				if diff := cmp.Diff(begun[0].Tokens[0], see()); diff != "" {
					t.Fatalf("after %q Begin and Read differ (-Begin +Read):\n%s", told, diff)
				}
			}
		case 1:
			what = "invalidate"
			_, err = s.Invalidate(ctx, budget, store.Mark{}, []string{key})
			if after := see(); after.Held && !after.Dirty || !after.Held && after.Token == before.Token {
				t.Fatalf("after %q an invalidation made %+v of %+v", told, after, before)
			}
		case 2:
			what = "hold"
			_, err = s.PlaceHold(ctx, budget, owner, []string{key})
			if after := see(); !after.Held {
				t.Fatalf("after %q a hold made %+v of %+v", told, after, before)
			}
		case 3, 4, 5:
			outcome := []store.Outcome{store.Commit, store.Rollback, store.Doubt}[random.IntN(3)]
			what = string(outcome)
			_, err = s.Release(ctx, budget, store.Mark{}, owner, outcome, []string{key})
			after := see()
			if outcome != store.Rollback && after.Token == before.Token && !after.Held {
				t.Fatalf("after %q a %s made %+v of %+v", told, outcome, after, before)
			}
		case 6:
			what = "time"
			server.Advance(time.Duration(random.IntN(4000)) * time.Millisecond)
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		told = append(told, what)
	}
}
