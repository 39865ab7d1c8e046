package main

import "slices"

// written is one write whose COMMIT has returned, at a time of the clock that all processes share.
type written struct {
	Key      int64 `json:"key"`
	Version  int64 `json:"version"`
	Returned int64 `json:"returned"` // nanoseconds; 0: it was not delivered, and nothing is promised of it
}

// seen is the last answer with one version of one key that a reader has got.
type seen struct {
	Version int64 `json:"version"`
	Asked   int64 `json:"asked"` // nanoseconds, when the Get was called: one that was called before a write returned may answer with what was
}

// sightings are what one reader has seen of each key.
type sightings map[int64][]seen

// note keeps that an answer was got. Answers mostly have the version of those before them.
func (s sightings) note(key, version, asked int64) {
	of := s[key]
	if last := len(of) - 1; last >= 0 && of[last].Version == version {
		of[last].Asked = max(of[last].Asked, asked)
		return
	}
	s[key] = append(of, seen{version, asked})
}

// staleness is how long after its return each write was still not seen by each reader: the age of the last older answer to a
// Get that was called later, in milliseconds; 0 where there was none. A write is one figure for each reader.
func staleness(writes []written, readers []sightings) (ages []float64) {
	for _, r := range readers {
		oldest := map[int64][]seen{}
		for key, of := range r {
			oldest[key] = lastUpTo(of)
		}
		for _, w := range writes {
			if w.Returned == 0 {
				continue
			}
			ages = append(ages, float64(max(0, lastBefore(oldest[w.Key], w.Version)-w.Returned))/1e6)
		}
	}
	return ages
}

// lastUpTo has the versions in their order, and of each when it or one before it was last asked for.
func lastUpTo(of []seen) []seen {
	sorted := slices.SortedFunc(slices.Values(of), func(a, b seen) int { return int(a.Version - b.Version) })
	for i := range sorted {
		if i > 0 {
			sorted[i].Asked = max(sorted[i].Asked, sorted[i-1].Asked)
		}
	}
	return sorted
}

// lastBefore is when a version before that one was last asked for; 0: never.
func lastBefore(upTo []seen, version int64) int64 {
	n, _ := slices.BinarySearchFunc(upTo, version, func(s seen, v int64) int { return int(s.Version - v) })
	if n == 0 {
		return 0
	}
	return upTo[n-1].Asked
}

// percentile is the value that so large a part of all does not exceed.
func percentile(all []float64, part float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}
