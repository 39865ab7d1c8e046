package cacheme

import (
	"fmt"
	"time"
)

// NearOptions bound the near cache of a process, in which the values of nodes with Meta.Near stay decoded beside what they
// depend on. The zero value is ready for use, and costs nothing where no node is near.
//
// A near hit asks nobody. It is right but for what was made wrong within the last Lag; mostly the process hears of
// that in less than a millisecond. What it wrote itself it sees at once, as anywhere. Whether word of all invalidations
// arrives is proven again and again; while it is not, and where Redis is away, Gets go to Redis as those of other nodes
// do. So they do inside of loads, in transactions, and with call options.
//
// What a near hit gives is one value for all. A caller that changes it changes it for all, and for as long as it stays:
// cachetest finds such a caller, and Meta.Copy gives everyone a value of his own.
type NearOptions struct {
	// Off: no node is near, whatever its Meta says.
	Off bool
	// Size is how many bytes the values of all nodes may take together, as the process estimates it. Those that are used
	// least leave first. Defaults to 64 MiB.
	Size int
	// Lag bounds how long an old value may be served after the write that made it wrong has returned. Every process that is
	// near sends four pings and a look a Lag. Defaults to 1 s; at least 100 ms.
	Lag time.Duration
	// Tracking asks the server to tell of every change of a token, by RESP3, on the connection by which word comes anyway:
	// then tokens that were evicted, flushed, or changed past cacheme count at once. Where the server or the client cannot, it
	// is as without. It costs the server a message for each process and each load, so it is off unless it is On.
	Tracking Switch
	// Watch encodes the value at each near hit and compares that with what was stored, to find callers that change values:
	// EventChanged. It is for tests, and slow; cachetest sets it.
	Watch bool
}

// The bounds of NearOptions.
const (
	defaultNearSize = 64 << 20
	minNearSize     = 1 << 20
	minNearLag      = 100 * time.Millisecond
)

func (o *NearOptions) withDefaults() (wrong []string) {
	if o.Size == 0 {
		o.Size = defaultNearSize
	}
	if o.Lag == 0 {
		o.Lag = time.Second
	}
	if o.Size < minNearSize {
		wrong = append(wrong, fmt.Sprintf("Near.Size is %d; write a size in bytes, at least %d (1 MiB), or leave it out", o.Size, minNearSize))
	}
	if o.Lag < minNearLag || o.Lag > time.Minute {
		wrong = append(wrong, fmt.Sprintf("Near.Lag is %v; write a time from %v to 1m0s, or leave it out", o.Lag, minNearLag))
	}
	if o.Tracking == Auto {
		wrong = append(wrong, "Near.Tracking is Auto, which is for Observe; write On or Off")
	}
	return wrong
}
