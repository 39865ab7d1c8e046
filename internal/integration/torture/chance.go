package torture

import (
	"math/rand/v2"
	"slices"
)

// weighted are things to choose from by chance.
type weighted interface {
	is() (name string, weight int)
}

// only are those of the names; nil: all.
func only[T weighted](all []T, names []string) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool {
		name, _ := one.is()
		return names != nil && !slices.Contains(names, name)
	})
}

// choose draws one by weight. There has to be one.
func choose[T weighted](dice *rand.Rand, all []T) T {
	sum := 0
	for _, one := range all {
		_, weight := one.is()
		sum += weight
	}
	n := dice.IntN(sum)
	for _, one := range all {
		_, weight := one.is()
		if n -= weight; n < 0 {
			return one
		}
	}
	return all[0]
}

// draw is a number of 1 to n, every second time one of the first few: there everybody meets.
func draw(dice *rand.Rand, n int64) int64 {
	const few = 3
	if dice.IntN(2) == 0 {
		n = min(n, few)
	}
	return 1 + dice.Int64N(n)
}
