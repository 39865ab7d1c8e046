package cacheme

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

// Diagnosis is what Doctor found.
type Diagnosis struct {
	Findings []Finding
	// ACL is the least rights of a Redis user for this cache, to be put behind ACL SETUSER <name> on ><password>. On a
	// cluster, on each server.
	ACL string
}

// Finding is one thing about a server that somebody should know or change.
type Finding struct {
	Server  string // its address, on a cluster
	Subject string // what was looked at
	Found   string // what it is
	Meaning string // what that means for the cache
	Remedy  string // what to do; empty: nothing has to be done
}

// String is the diagnosis as text.
func (d Diagnosis) String() string {
	var b strings.Builder
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "%s%s: %s\n  %s\n", serverOf(f), f.Subject, f.Found, f.Meaning)
		if f.Remedy != "" {
			fmt.Fprintf(&b, "  remedy: %s\n", f.Remedy)
		}
	}
	fmt.Fprintf(&b, "least rights: ACL SETUSER <name> on ><password> %s\n", d.ACL)
	return b.String()
}

func serverOf(f Finding) string {
	if f.Server == "" {
		return ""
	}
	return f.Server + " "
}

// doctorBudget bounds what Doctor asks.
const doctorBudget = 5 * time.Second

// Doctor looks at the Redis of a cache: version, role, rights, memory policy, connections, replication, the settings that matter, and whether
// INFO is allowed. It changes nothing there and takes at most five seconds. The error is that Redis could not be asked; that
// it refuses to tell is a Finding. Settings take CONFIG GET, and rights MULTI, which the cache itself does not need. What neither tells (persistence
// of a managed service, proxies) Doctor does not know either.
func Doctor(ctx context.Context, c *Cache) (Diagnosis, error) {
	servers, err := c.store.Examine(ctx, doctorBudget, settingNames())
	if err != nil {
		return Diagnosis{}, fmt.Errorf("cacheme: doctor: %w", err)
	}
	d := Diagnosis{ACL: c.store.ACL()}
	for _, s := range servers {
		for _, f := range findings(s, c.options.WaitReplicas) {
			f.Server = s.Addr
			d.Findings = append(d.Findings, f)
		}
	}
	return d, nil
}

// addFinding adds one to those of a server.
type addFinding func(subject, found, meaning, remedy string)

// findings judges what one server tells, for a cache that waits for so many replicas.
func findings(s store.Examined, waits int) (all []Finding) {
	add := func(subject, found, meaning, remedy string) {
		all = append(all, Finding{Subject: subject, Found: found, Meaning: meaning, Remedy: remedy})
	}
	if s.Refused != nil || s.Version == "" {
		add("INFO", fmt.Sprint("refused: ", s.Refused),
			"the cache is blind: each process trusts its own entries only, and nothing else can be said of this server",
			"allow INFO to its user, as in the ACL below")
		return all
	}
	add("version", s.Version, "the cache needs the commands of Redis 6.2", versionRemedy(s.Version))
	if s.Role == "slave" {
		add("role", "replica", "it takes no writes, and what it has may be old: the cache does not use it",
			"give cacheme a client of the primary, without ReplicaOnly")
	}
	judgeRights(s, add)
	memory(s, add)
	judgeConnections(s, add)
	judgeReplicas(s, waits, add)
	judgeSettings(s, add)
	return all
}

func memory(s store.Examined, add addFinding) {
	const policy = "memory policy"
	limit := fmt.Sprintf("%s, maxmemory %d MB, %s keys evicted", s.Policy, s.MaxMemory>>20, s.Evicted)
	switch {
	case s.Policy == "":
		add(policy, "not told", "nobody knows what happens when memory is full", "look at maxmemory and maxmemory-policy by hand")
	case s.MaxMemory == 0:
		add(policy, "no maxmemory", "everything that the cache writes has a TTL, but until then it may take the machine's memory",
			"set maxmemory, and maxmemory-policy allkeys-lru or volatile-lru")
	case s.Policy == "noeviction":
		add(policy, limit, "a full server refuses invalidations as well as entries: writes then return *UndeliveredError",
			"set maxmemory-policy allkeys-lru, or volatile-lru where other data lives there too")
	case strings.HasSuffix(s.Policy, "-random"), s.Policy == "volatile-ttl":
		add(policy, limit, "safe, but what is read often goes as early as anything else",
			"set maxmemory-policy allkeys-lru, or volatile-lru where other data lives there too")
	default:
		add(policy, limit, "safe: a token that is evicted costs a load", "")
	}
}

// judgeRights tells which commands the cache would be refused.
func judgeRights(s store.Examined, add addFinding) {
	if len(s.Missing) > 0 {
		add("rights", "refused: "+strings.Join(s.Missing, ", "),
			"what is refused fails each time: without scripts nothing is stored or made wrong, and near caches of others do not hear of what is not published",
			"give its user the rights below; a command that the server does not know at all has been renamed or disabled there")
	}
}

// judgeConnections tells whether there are enough of them. A server that is nearly full turns away the process that is started next.
func judgeConnections(s store.Examined, add addFinding) {
	found := fmt.Sprintf("%d of %d in use, %d turned away since the server was started", s.Clients, s.MaxClients, s.TurnedAway)
	switch {
	case s.MaxClients == 0: // not told
	case s.TurnedAway > 0 || 10*s.Clients > 9*s.MaxClients:
		add("connections", found, "a process that gets none loads each time, and keeps its invalidations",
			"raise maxclients to processes × (PoolSize + 1) and some, or lower the clients' PoolSize")
	default:
		add("connections", found, "there are enough", "")
	}
}

// versionRemedy is empty for a version that is new enough.
func versionRemedy(version string) string {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err == nil && (major > 6 || major == 6 && minor >= 2) {
		return ""
	}
	return "use Redis 6.2 or newer, or Valkey"
}
