package model

// Rule is one sentence of the protocol that can be switched off, to see what it is for.
type Rule uint8

// The rules, in the order in which docs/protocol.md tells them.
const (
	EqualTokens Rule = iota
	AbsentIsNotFresh
	HeldIsNotFresh

	CreateNeverReplaces
	CreateThenLoad
	ReadThenLoad
	NoFillUnderHold
	OneLease
	FillUnderOwnLease

	TripSentAfterArrival
	JoinOnEqualTokens
	JoinNeverUnderHold
	JoinOnSameLease
	JoinBeforeLateRead
	JoinOnlyValid
	NextLoadAfterArrival
	NextLoadIsShared

	LateIsOlder
	LateIsStrictlyOlder
	LateAbsentIsInvalid
	LateHeldIsInvalid
	LateHeldKeepsEntry
	LateNeedsSteadyClock

	ReleaseAfterCommit
	ReturnAfterRelease
	CommitAlwaysInvalidates
	DirtOutlivesHolder
	InvalidationLeavesDirt
	RollbackRestores
	RestoreByLastHolder
	LapseLeavesDirt
	LapseByRedisClock
	DoubtKeepsHold
	FenceOnTransaction
	FenceOnStatement
	TransactionBypasses

	Probation
	ProbationStays
	ProbationFromLoadStart
	Excuse
	ExcuseAfterTokens
	ExcuseCountsEvictions
	ExcuseNeedsMark
	ExcuseLooksBack
	EpochBinds

	NearWiresFirst
	NearOnlyProven
	NearAnswerBehind
	NearGapForgets
	NearToldInStep

	ruleCount
)

// sentence is what a rule says, and the scenarios that are to break without it, small ones first.
type sentence struct {
	name, says string
	in         []string
}

// sentences is read only.
var sentences = [ruleCount]sentence{
	EqualTokens:      {"equal tokens", "An entry is fresh only while each of its tokens equals the one in Redis.", []string{"commit"}},
	AbsentIsNotFresh: {"absent is not fresh", "A token that is not there equals nothing.", []string{"eviction"}},
	HeldIsNotFresh:   {"held is not fresh", "A held token equals nothing, not even the token before the hold.", []string{"commit"}},

	CreateNeverReplaces: {"create never replaces", "A missing token is created only if it is still missing; else the one that is there is taken.", []string{"eviction"}},
	CreateThenLoad:      {"create, then load", "Missing tokens are created before the load, not after it.", []string{"eviction"}},
	ReadThenLoad:        {"read, then load", "An entry carries its declared tokens as they were before its load.", []string{"commit"}},
	NoFillUnderHold:     {"no fill under a hold", "A load that found a declared token held stores nothing.", []string{"commit", "mixed", "eviction", "doubt", "paused", "two tokens", "overlap", "restart", "flush"}},
	OneLease:            {"one lease", "A lease is taken only if nobody has it.", []string{"flight"}},
	FillUnderOwnLease:   {"fill under own lease", "A fill stores only while the lease is still its own.", []string{"removal"}},

	TripSentAfterArrival: {"trip sent after arrival", "A caller shares a round trip only if it was sent after the caller arrived.", []string{"flight"}},
	JoinOnEqualTokens:    {"join on equal tokens", "A caller joins a flight only if its own read returned the tokens that the flight began with.", []string{"flight"}},
	JoinNeverUnderHold:   {"join never under a hold", "Two held tokens are never taken for equal, however alike they look.", []string{"mixed"}},
	JoinOnSameLease:      {"join on same lease", "A caller joins a flight only if its own read saw that flight's lease.", []string{"removal"}},
	JoinBeforeLateRead:   {"join before the late read", "A flight closes to joiners when it reads its result tokens.", []string{"result"}},
	JoinOnlyValid:        {"join only what is valid", "A value that was born invalid is not for those who joined after its load began.", []string{"result"}},
	NextLoadAfterArrival: {"next load: began after arrival", "Without the conditions of a joiner, a caller takes the value of a load only if the load began after the caller arrived.", []string{"flight"}},
	NextLoadIsShared:     {"next load: shared", "Such a value is taken, whatever the tokens: nobody loads by himself what was loaded for him.", []string{"flight"}},

	LateIsOlder:          {"late: older", "A token first read after the load is adopted only if it is older than the load.", []string{"result"}},
	LateIsStrictlyOlder:  {"late: strictly", "The same microsecond is not older.", []string{"result"}},
	LateAbsentIsInvalid:  {"late: absent", "A result token that had to be created makes the entry born invalid.", []string{"result"}},
	LateHeldIsInvalid:    {"late: held", "A held result token makes the entry born invalid.", []string{"result", "result x2"}},
	LateHeldKeepsEntry:   {"late: held keeps the entry", "Under a held result token nothing is stored: a rollback may make the entry that is there right again.", []string{"result"}},
	LateNeedsSteadyClock: {"late: steady clock", "Nothing is adopted if Redis's clock and the process's own disagree on how long the load took.", []string{"clock"}},

	ReleaseAfterCommit:      {"release after COMMIT", "A hold ends after the COMMIT, not before.", []string{"commit"}},
	ReturnAfterRelease:      {"return after release", "Commit returns to its caller after the release.", []string{"after commit"}},
	CommitAlwaysInvalidates: {"commit always invalidates", "A committed release that finds its hold gone writes a new token all the same.", []string{"eviction"}},
	DirtOutlivesHolder:      {"dirt outlives its holder", "Dirt stays on a held token until the last holder is gone.", []string{"overlap"}},
	InvalidationLeavesDirt:  {"invalidation leaves dirt", "An invalidation that finds the token held makes it dirty.", []string{"mixed"}},
	RollbackRestores:        {"rollback restores", "A rollback brings back the token before the hold.", []string{"commit"}},
	RestoreByLastHolder:     {"restore by the last holder", "Only the last holder of a clean hold brings the token before back.", []string{"overlap"}},
	LapseLeavesDirt:         {"lapse leaves dirt", "A holder whose deadline passed counts as committed.", []string{"commit"}},
	LapseByRedisClock:       {"lapse by Redis's clock", "The script that settles a hold judges its deadline by Redis's own clock.", []string{"commit"}},
	DoubtKeepsHold:          {"doubt keeps the hold", "A COMMIT without an answer makes dirty and leaves the hold to its deadline.", []string{"doubt"}},
	FenceOnTransaction:      {"fence on the transaction", "The database gives an open transaction up before its hold's deadline.", []string{"paused"}},
	FenceOnStatement:        {"fence on the statement", "A held autocommit statement runs in a transaction of its own, under the same fence.", []string{"paused"}},
	TransactionBypasses:     {"transaction bypasses", "What is loaded inside a transaction is for its caller alone: neither stored nor given to those who wait.", []string{"in transaction", "in transaction, shared"}},

	Probation:              {"probation", "What is loaded under a token that was found missing is stored for one hold time after the finding at most.", []string{"eviction", "flush"}},
	ProbationStays:         {"probation stays", "Later holds and tokens leave a probation as it is.", []string{"flush, two rows"}},
	ProbationFromLoadStart: {"probation by load start", "A result token whose probation ended during the load counts as on probation.", []string{"result"}},
	Excuse:                 {"excuse", "A probation is void where the server shows that nothing was lost from one hold time before the finding until after the tokens were read.", []string{"cold"}},
	ExcuseAfterTokens:      {"excuse: after the tokens", "The loading process asks for it after it has created and read its tokens.", []string{"cold"}},
	ExcuseCountsEvictions:  {"excuse: no eviction", "A changed count of evicted keys is a loss.", []string{"eviction"}},
	ExcuseNeedsMark:        {"excuse: the mark survived", "A missing mark is a loss; whoever finds one writes the mark anew, with the time of now.", []string{"flush"}},
	ExcuseLooksBack:        {"excuse: a hold time back", "The mark must be older than the finding by one hold time.", []string{"cold, two tokens"}},
	EpochBinds:             {"epoch binds", "What another run of Redis wrote counts as missing.", []string{"restart"}},

	NearWiresFirst:   {"near: wires first", "A process that is going to keep a value listens for words of its keys before it reads them.", []string{"near"}},
	NearOnlyProven:   {"near: only what is proven", "What is near is served only while an answer has come to a ping that was sent less than one lag ago.", []string{"near", "near, dead link"}},
	NearAnswerBehind: {"near: answer behind the words", "The answer comes on the connection of the words, behind those from before the ping.", []string{"near"}},
	NearGapForgets:   {"near: a gap forgets", "A link that was broken costs all that is near.", []string{"near, dead link"}},
	NearToldInStep:   {"near: told in the same step", "The script that makes a token wrong, or holds it, publishes that.", []string{"near, killed writer"}},
}

// Rules lists every rule in order.
func Rules() []Rule {
	list := make([]Rule, ruleCount)
	for i := range list {
		list[i] = Rule(i)
	}
	return list
}

// String is the rule's short name, unique among the rules.
func (r Rule) String() string { return sentences[r].name }

// Says is the rule in one sentence.
func (r Rule) Says() string { return sentences[r].says }

// Scenarios are those that are to break without the rule, small ones first.
func (r Rule) Scenarios() []Scenario {
	var list []Scenario
	for _, name := range sentences[r].in {
		list = append(list, scenarioNamed(name))
	}
	return list
}

// Redundant reports that no scenario breaks without the rule. It is kept because it is simpler to say: an entry stored
// under the token before a hold is right if the hold rolls back, and equals nothing if it does not.
func (r Rule) Redundant() bool { return r == NoFillUnderHold }

// ruleSet is which rules are off.
type ruleSet [ruleCount]bool

func (off *ruleSet) on(r Rule) bool { return !off[r] }
