package cacheme

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cacheme/cacheme/internal/store"
)

// setting is one of a server, and what its value means for the cache. An empty remedy: it may stay.
type setting struct {
	name  string
	judge func(value string) (meaning, remedy string)
}

const stopWrites = "stop-writes-on-bgsave-error" //nolint:gosec // the name of a setting

// settings are those that matter besides what INFO tells, in the order in which they are told.
var settings = []setting{
	{"min-replicas-to-write", func(v string) (string, string) {
		if v == "0" {
			return "a primary that is cut off goes on taking invalidations that nobody else hears of", ""
		}
		return "a primary that is cut off from its replicas refuses invalidations, which are kept and delivered, once min-replicas-max-lag has passed", ""
	}},
	{"min-replicas-max-lag", func(v string) (string, string) {
		if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 && seconds <= 10 {
			return "seconds without word from a replica until it is no longer counted", ""
		}
		return "seconds without word from a replica until it is no longer counted: for so long a primary that is cut off goes on",
			"set min-replicas-max-lag to 10 or less, and below down-after-milliseconds of the sentinels"
	}},
	{"replica-read-only", func(v string) (string, string) {
		if v == "yes" {
			return "a server that becomes a replica refuses writes, and cacheme notices", ""
		}
		return "a server that becomes a replica goes on taking writes, which are lost; the cache does not use it, but others may",
			"set replica-read-only yes"
	}},
	{"repl-diskless-load", func(v string) (string, string) {
		if v == "swapdb" {
			return "a replica answers from its old data while it loads the new: the cache does not read replicas, but others may", ""
		}
		return "a replica answers nothing while it loads; the cache does not read replicas", ""
	}},
	{"appendonly", func(v string) (string, string) {
		if v == "no" {
			return "a restart begins without what the file would have kept: a cold cache, as it would be anyway", ""
		}
		return "a restart is another run, and nothing that was written before is served: the file is written for other data, if there is any",
			"set appendonly no on a server that has nothing but caches"
	}},
	{"save", func(v string) (string, string) {
		if v == "" {
			return "no snapshots: a restart begins cold, as it would anyway", ""
		}
		return "a restart is another run, and nothing of its snapshot is served; the fork costs memory for what changes meanwhile",
			`set save "" on a server that has nothing but caches`
	}},
	{stopWrites, func(v string) (string, string) {
		if v == "no" {
			return "a snapshot that cannot be written stops nobody", ""
		}
		return "while snapshots cannot be written the server refuses invalidations as well as entries: writes then return *UndeliveredError",
			"set stop-writes-on-bgsave-error no, or no snapshots, on a server that has nothing but caches"
	}},
	{"timeout", func(v string) (string, string) {
		if seconds, err := strconv.Atoi(v); err == nil && (seconds == 0 || seconds >= 300) {
			return "idle connections stay long enough", ""
		}
		return "idle connections are closed after so many seconds: each new one has the run id of the server read again, before anything is trusted",
			"set timeout 0, or the client's ConnMaxIdleTime below it"
	}},
	{"client-output-buffer-limit", pubsubLimit},
	{"notify-keyspace-events", func(v string) (string, string) {
		if v == "" {
			return "nothing is published of each command; cacheme does not need it", ""
		}
		return "each command publishes something, which cacheme does not need", `set notify-keyspace-events "" unless somebody else listens`
	}},
}

// leastPubsub is the least limit of a subscriber's buffer, in bytes: a transaction of a thousand rows says a hundred kilobytes
// in one moment.
const leastPubsub = 1 << 20

// pubsubLimit judges the part of client-output-buffer-limit that near caches live by: "pubsub <hard> <soft> <seconds>".
func pubsubLimit(v string) (meaning, remedy string) {
	words := strings.Fields(v)
	for i := 0; i+3 < len(words); i += 4 {
		hard, err := strconv.ParseUint(words[i+1], 10, 64)
		if words[i] == "pubsub" && err == nil && hard > 0 && hard < leastPubsub {
			return "a subscriber that is a moment behind is cut off: a process that keeps values near then forgets them all, and goes to Redis",
				"set client-output-buffer-limit pubsub 32mb 8mb 60"
		}
	}
	return "a subscriber that is behind is cut off only when much waits for it; a near cache that is forgets its values and begins anew", ""
}

func settingNames() (names []string) {
	for _, s := range settings {
		names = append(names, s.name)
	}
	return names
}

// judgeSettings tells what a server's settings mean.
func judgeSettings(s store.Examined, add addFinding) {
	if s.SaveFailed {
		add("snapshots", "the last one failed", "with stop-writes-on-bgsave-error the server refuses invalidations and entries now",
			"see the server's log: the disk may be full; or set stop-writes-on-bgsave-error no")
	}
	if s.Settings == nil {
		add("CONFIG", "refused", "what "+strings.Join(settingNames(), ", ")+" are is not known",
			"look at them by hand, or ask with a user who may do +config|get; the cache itself does not need it")
		return
	}
	for _, one := range settings {
		value, told := s.Settings[one.name]
		if !told {
			continue // a server of another make
		}
		meaning, remedy := one.judge(value)
		if save, told := s.Settings["save"]; one.name == stopWrites && told && save == "" {
			meaning, remedy = "there are no snapshots that could fail", ""
		}
		add(one.name, fmt.Sprintf("%q", value), meaning, remedy)
	}
}

// judgeReplicas tells what the replicas of a server mean, and what Options.WaitReplicas makes of them.
func judgeReplicas(s store.Examined, waits int, add addFinding) {
	const subject = "replication"
	switch {
	case s.Replicas == 0:
		add(subject, "no replicas", "no failover, and no acknowledged invalidation is lost by one", "")
	case s.MinReplicas:
		add(subject, fmt.Sprintf("%d replicas, min-replicas-to-write is set", s.Replicas),
			"a primary that is cut off from its replicas soon refuses writes; its reads go on until clients are told", "")
	default:
		add(subject, fmt.Sprintf("%d replicas, min-replicas-to-write is not set", s.Replicas),
			"a failover starts cold, so what it loses is not served; but who still reaches the old primary is served what that holds, "+
				"and a writer there is not heard of",
			"set min-replicas-to-write 1 and min-replicas-max-lag 10: a primary that is cut off then refuses invalidations, which are kept and delivered; "+
				"Options.WaitReplicas closes it for reads as well")
	}
	found := fmt.Sprintf("%d, of %d replicas", waits, s.Replicas)
	switch {
	case waits == 0:
	case s.Replicas < waits:
		add("WaitReplicas", found, "there are too few: the cache is not used, and invalidations are kept", "add replicas, or wait for fewer")
	case 2*(waits+1) <= s.Replicas+1:
		add("WaitReplicas", found, "two primaries can have so many each: what is read may be what a failover has left behind",
			fmt.Sprintf("wait for %d", (s.Replicas+1)/2))
	case s.Replicas == waits:
		add("WaitReplicas", found, "while any replica is gone the cache is not used", "add a replica, so that one may be gone")
	default:
		add("WaitReplicas", found, "a primary that was replaced is not read from for longer than a second", "")
	}
}
