//go:build !race

package cacheme_test

// hitAllocations is what was measured, 76, and 3 for the next version of a dependency. About 63 of them are an MGET of
// the seven keys (entry, lease, class, table, three rows) by itself: 6 for each key and 21 for the call, most of them in
// the server, which is in the same process here. The rest is the cache's own: the request, its keys and its node in an
// interface, the tokens, the entry and its value.
const hitAllocations = 79
