package outage

import (
	"crypto/sha1"
	"encoding/hex"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// scriptNames knows the cache's scripts by the hashes under which they are called.
type scriptNames struct {
	mu     sync.Mutex
	byHash map[string]string
}

// learn wraps a client so that the cache made on it tells its scripts. Nothing of them is changed.
func (s *scriptNames) learn(rdb redis.UniversalClient) redis.UniversalClient {
	s.byHash = map[string]string{}
	return &guard.Client{UniversalClient: rdb, Rewrite: func(name, source string) string {
		s.mu.Lock()
		defer s.mu.Unlock()
		sum := sha1.Sum([]byte(source))
		s.byHash[hex.EncodeToString(sum[:])] = name
		return source
	}}
}

// invalidates reports whether a command makes a dependency wrong.
func (s *scriptNames) invalidates(cmd redis.Cmder) bool {
	args := cmd.Args()
	if cmd.Name() != "evalsha" || len(args) < 2 {
		return false
	}
	hash, _ := args[1].(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHash[hash] == "invalidate"
}
