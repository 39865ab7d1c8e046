// Package model is the freshness protocol as something that can be run.
//
// A small world holds one database, one Redis, one cached entry, a few writers and a few readers. Each of them moves in
// steps, one database or Redis operation a step, and things go wrong between any two steps: a process dies, Redis
// evicts a key or forgets everything, a COMMIT gets no answer, a clock jumps. [Scenario.Explore] visits every order in which the
// steps can happen and looks for a broken [Promise]: an old value called fresh, two loads where one would do, a cache
// that never becomes fresh again. It goes breadth first, so the [Story] it tells is a shortest one.
//
// Each [Rule] of the protocol can be switched off. One that can be switched off in its scenarios without breaking anything
// is redundant or not understood, and the tests say which. docs/protocol.md carries the table of rules; a test compares.
//
// To change the protocol, change it here first: name the rule in rule.go, ask for it with rules.on where it acts, and
// bound a scenario in scenario.go that breaks without it. Nothing else of the project imports this package.
//
// What a world leaves out: savepoints, stale serving, the journal and the outbox, loads inside
// loads, several masters, a process's memory of result dependencies, renewal of holds, read replicas. What it assumes:
// a COMMIT whose transaction is fenced takes effect before the hold's deadline or never.
package model
