// Package guard lets a test take one rule of the freshness protocol out of a running cache, to show that the suite
// notices. Product code asks Off before it applies a rule; only a client wrapped by [Client], or a connector wrapped by
// [Connector], can answer yes, and nothing outside this module can make one.
package guard

import (
	"database/sql/driver"

	"github.com/redis/go-redis/v9"
)

// Rule is one rule of the protocol that acts in Go code. docs/protocol.md says what each is for. Rules that act in a
// Lua script are taken out by rewriting the script, see [Client].
type Rule uint8

// The rules that live in the core, under the names that the model gives them.
const (
	EqualTokens Rule = iota
	AbsentIsNotFresh
	HeldIsNotFresh
	CreateThenLoad
	ReadThenLoad
	TripSentAfterArrival
	JoinOnEqualTokens
	JoinNeverUnderHold
	JoinOnSameLease
	JoinBeforeLateRead
	JoinOnlyValid
	NextLoadAfterArrival
	LateIsOlder
	LateIsStrictlyOlder
	LateAbsentIsInvalid
	LateHeldIsInvalid
	LateHeldKeepsEntry
	LateNeedsSteadyClock
	TransactionBypasses
	Probation
	ProbationFromLoadStart
	ExcuseAfterTokens
	ExcuseCountsEvictions
	EpochBinds
)

// The rules that a writer keeps, whoever watches the writes of a database for the core.
const (
	ReleaseAfterCommit Rule = EpochBinds + 1 + iota
	ReturnAfterRelease
	FenceOnTransaction
	FenceOnStatement
)

// Rules beside the protocol of one entry.
const (
	// RowsByValues has writers tell rows by the values of their keys, for nodes with Observe: Auto.
	RowsByValues Rule = FenceOnStatement + 1 + iota
	// EarlyByLease has a load before an entry's time is over ask for the lease as every other load.
	EarlyByLease
	// EpochKnowsMasters has a reply of a server that was no master when the epoch was read make the epoch unknown.
	EpochKnowsMasters
	// EpochHoldsReplication has each time of a primary in office be an epoch of its own.
	EpochHoldsReplication
	// ReplicasVouch has a primary believed only while its replicas follow it, where Options.WaitReplicas asks for that.
	ReplicasVouch
	// ReplicasAcknowledge has a write count as delivered only when they have it.
	ReplicasAcknowledge
	// NearBeforeLook has near caches listen for changes of what is read before it is read.
	NearBeforeLook
	// NearOnlyProven keeps what is near from being served while nobody can show that word of all changes arrives.
	NearOnlyProven
	// NearNotInLoads keeps what is near out of loads, whose values may be asked for by those who want them fresh.
	NearNotInLoads
	// OutboxWithWrite has writers with an outbox keep what they make wrong in the transaction that does.
	OutboxWithWrite
)

// Set is a set of rules that are switched off. The zero Set leaves every rule on.
type Set uint64

// Without returns the Set in which the given rules are off.
func Without(rules ...Rule) Set {
	var s Set
	for _, r := range rules {
		s |= 1 << r
	}
	return s
}

// Off reports whether r is switched off.
func (s Set) Off(r Rule) bool { return s&(1<<r) != 0 }

// Client is a Redis client that carries broken rules to the cache that is made on it.
type Client struct {
	redis.UniversalClient
	// Rules are off in Go code.
	Rules Set
	// Rewrite changes the source of a Lua script, by name, before it is loaded. Nil changes nothing.
	Rewrite func(name, source string) string
}

// Unwrap returns the client to talk to, and the switches that it carries.
func Unwrap(rdb redis.UniversalClient) (redis.UniversalClient, Set, func(name, source string) string) {
	same := func(_, source string) string { return source }
	c, ok := rdb.(*Client)
	if !ok {
		return rdb, 0, same
	}
	if c.Rewrite != nil {
		return c.UniversalClient, c.Rules, c.Rewrite
	}
	return c.UniversalClient, c.Rules, same
}

// Connector is a database connector that carries broken rules to what watches the writes on its connections.
type Connector struct {
	driver.Connector
	// Rules are off in Go code.
	Rules Set
}

// UnwrapConnector returns the connector to use, and the switches that it carries.
func UnwrapConnector(c driver.Connector) (driver.Connector, Set) {
	if g, ok := c.(*Connector); ok {
		return g.Connector, g.Rules
	}
	return c, 0
}
