//go:build race

package cacheme_test

const hitAllocations = 100
