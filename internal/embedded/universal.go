package embedded

import "github.com/redis/go-redis/v9"

// Universal is a Server whose clients are of the type that those of a single server, of Sentinel and of Cluster have in
// common, for suites that run on any of them.
type Universal struct{ *Server }

// Client is [Server.Client].
func (u Universal) Client(with ...func(*redis.Options)) redis.UniversalClient {
	return u.Server.Client(with...)
}
