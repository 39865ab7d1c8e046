//go:build race

package cacheme_test

// hitAllocations is 93 as measured, and more by chance: under the race detector a sync.Pool drops some of what it is
// given.
const hitAllocations = 110
