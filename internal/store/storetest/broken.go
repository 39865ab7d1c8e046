package storetest

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cacheme/cacheme/internal/guard"
)

// brokenScript is a rule that acts in a Lua script, taken out by rewriting it.
type brokenScript struct {
	rule      string
	script    string // empty: whichever holds the text
	text, new string
	red       string // the check that has to fail
}

func brokenScripts() []brokenScript {
	return []brokenScript{
		{
			"create if missing", "begin",
			"if not r or (r.state == 't' and r.time == NEVER) then", "if true then",
			"a touch leaves a token that is there",
		},
		{
			"lease if free", "begin", "and not force then return 0 end", "and false then return 0 end",
			"a lease is not given while somebody has it",
		},
		{
			"lease if free, within a call", "begin", "given[key] = owner .. marks\n", "local given = {[key] = owner .. marks}\n",
			"two loads of a Begin that want one entry are not both given its lease",
		},
		{
			"tell only who waits", "fill", "if marks ~= '' then", "if true then",
			"a fill tells nobody where nobody waits",
		},
		{
			"marks stay", "begin", "given[key] = owner .. marks", "given[key] = owner",
			"marks of those who wait survive a takeover and a renewal, and make no lease",
		},
		{
			"a mark is no lease", "wait", "if ownerOf(redis.pcall('GET', KEYS[1])) == '' then return 0 end", "",
			"marks of those who wait survive a takeover and a renewal, and make no lease",
		},
		{
			"lease on what was seen", "begin", "if head ~= seen then return 0 end", "",
			"a lease is not given where another entry was stored since the caller looked",
		},
		{
			"lease on fill", "fill", "if holder ~= ARGV[at] then return 0 end", "",
			"a fill without the lease stores nothing",
		},
		{
			"commit always invalidates", "release",
			"if outcome == 'rollback' and not mine then", "if outcome ~= 'doubt' and not mine then",
			"a commit that finds its hold gone invalidates",
		},
		{
			"dirty outlives its holder", "release", "r.holders[owner] = nil\n",
			"r.holders[owner] = nil\n  if next(r.holders) then r.writer = CLEAN end\n",
			"dirt outlives its holder",
		},
		{
			"invalidation dirties a hold", "invalidate", "r.writer = nonce", "",
			"an invalidation makes a held token dirty",
		},
		{
			"rollback restores", "release", "if outcome ~= 'rollback' then", "if true then",
			"a rollback brings the token before back",
		},
		{
			"restore by the last holder", "release", "r.holders[owner] = nil\n",
			"r.holders[owner] = nil\n  if outcome == 'rollback' then r.holders, r.writer = {}, CLEAN end\n",
			"a rollback under another's hold leaves that hold",
		},
		{
			"lapse is dirty", "", "r.writer, r.first, r.base, r.seen = 'L' .. string.sub(nonce, 2), now, ZERO, '0'", "",
			"a lapse is dirty",
		},
		{
			"the token of a hold is its writer's", "release", "  finish(r, now)\nend\nif", "  r.writer = r.writer == CLEAN and CLEAN or nonce\n  finish(r, now)\nend\nif",
			"a hold's token is that of the write that made it wrong, whoever ends it",
		},
		{
			"the last write counts", "", "r.writer = nonce\n", "r.writer = r.writer == CLEAN and nonce or r.writer\n",
			"of several writes under a hold the last one counts",
		},
		{
			"a lapse says so", "", "'L' .. string.sub(nonce, 2)", "nonce",
			"a lapse is nobody's write",
		},
		{
			"settle after the deadline", "", "if deadline <= now then", "if true then",
			"a hold is not settled before its deadline",
		},
		{
			"doubt keeps the hold", "release", "if outcome == 'doubt' then", "if false then",
			"a doubt keeps the hold and makes it dirty",
		},
		{
			"probation stays, over an invalidation", "invalidate",
			"r.time, r.nonce = now, nonce", "r.time, r.nonce, r.probation = now, nonce, NEVER",
			"an invalidation keeps a probation",
		},
		{
			"probation stays, over a commit", "",
			"r.time, r.nonce, r.writer = now, r.writer, CLEAN", "r.time, r.nonce, r.writer, r.probation = now, r.writer, CLEAN, NEVER",
			"a hold and its commit keep a probation",
		},
		{
			"lease of its own is renewed", "renew", "if holder ~= ARGV[1] then return 0 end", "",
			"a renewal leaves another's lease alone, and makes none",
		},
		{
			"a changed count is a loss", "watch", "and evicted == ARGV[2]", "",
			"an eviction starts the record anew and keeps the probation",
		},
		{
			"the greater hold", "watch", "hold = math.max(hold, tonumber(h))", "",
			"the greater hold time wins",
		},
		{
			"epoch in the record of a token", "", "if run ~= epoch or", "if not run or",
			"a record that is none is missing, to readers and to scripts",
		},
	}
}

// brokenRule is a rule that acts in Go code.
type brokenRule struct {
	rule  guard.Rule
	name  string
	needs need
	red   string
}

func brokenRules() []brokenRule {
	return []brokenRule{
		{guard.EpochBinds, "epoch of Redis", restarts, "tokens of another run are missing"},
		{guard.Probation, "probation", anything, "a missing token is on probation while the record is young"},
		{guard.ExcuseCountsEvictions, "void unless lost", anything, "an eviction starts the record anew and keeps the probation"},
		{guard.ExcuseAfterTokens, "asked after the tokens", anything, "losses are asked for after the tokens were read"},
	}
}

// Broken takes out one rule after another, and fails where the suite does not notice.
func Broken(t *testing.T, open Open) {
	for _, b := range brokenScripts() {
		t.Run(b.rule, func(t *testing.T) {
			t.Parallel()
			var replaced atomic.Bool
			story := without(t, open(t), find(t, b.red), 0, func(name, source string) string {
				if b.script != "" && b.script != name || !strings.Contains(source, b.text) {
					return source
				}
				replaced.Store(true)
				return strings.ReplaceAll(source, b.text, b.new)
			})
			if !replaced.Load() {
				t.Fatalf("no script %q holds %q: the rule was not taken out", b.script, b.text)
			}
			judge(t, b.red, story)
		})
	}
	for _, b := range brokenRules() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			server := open(t)
			if !b.needs.met(server) {
				t.Skipf("this server is not one that %q can be shown on", b.red)
			}
			judge(t, b.red, without(t, server, find(t, b.red), guard.Without(b.rule), nil))
		})
	}
}

func judge(t *testing.T, red, story string) {
	t.Helper()
	switch {
	case story == "":
		t.Errorf("without the rule, %q is still green", red)
	case strings.Contains(story, "ERR ") || strings.Contains(story, "compil"):
		t.Errorf("%q is red for another reason: %s", red, story)
	default:
		t.Logf("%q says: %s", red, story)
	}
}
