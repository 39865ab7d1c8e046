package cacheme

import "time"

// Gets is how many Gets were counted, whatever became of them.
func (s Stats) Gets() uint64 { return s.Hits + s.StaleHits + s.Misses + s.Bypassed + s.Errors }

// Served is how many Gets were answered without a load of their own, old values included.
func (s Stats) Served() uint64 { return s.Hits + s.StaleHits }

// Plus is what two caches counted, together. One of them that is Away, or Near, makes both so.
func (s Stats) Plus(other Stats) Stats {
	s = s.combined(other, func(a, b uint64) uint64 { return a + b })
	s.Pending += other.Pending
	s.NearValues += other.NearValues
	s.NearBytes += other.NearBytes
	s.Away = s.Away || other.Away
	s.Near = s.Near || other.Near
	return s
}

// Since is what was counted after an earlier look at the same cache; what is so now stays. A count that went back is that of a
// process that was started again under the same name, and is there as a whole.
func (s Stats) Since(before Stats) Stats {
	return s.combined(before, func(now, before uint64) uint64 {
		if now < before {
			return now
		}
		return now - before
	})
}

func (s Stats) combined(other Stats, f func(a, b uint64) uint64) Stats {
	to, from := growing(&s), growing(&other)
	for i := range to {
		*to[i] = f(*to[i], *from[i])
	}
	s.LoadTime = time.Duration(f(uint64(s.LoadTime), uint64(other.LoadTime)))
	return s
}

// growing are the counts that only grow, but for LoadTime.
func growing(s *Stats) []*uint64 {
	return []*uint64{
		&s.Hits, &s.StaleHits, &s.Misses, &s.Bypassed, &s.Errors, &s.NearHits, &s.Loads, &s.LoadErrors, &s.NotStored, &s.BornInvalid, &s.Garbage,
		&s.Undeclared, &s.Invalidations, &s.RedisErrors, &s.Verified, &s.Unverified, &s.Violations,
	}
}
