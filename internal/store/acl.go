package store

import "strings"

// ACL returns the least rights of a Redis user with which a Store works, as the rules of ACL SETUSER behind the user's
// name and password. INFO and SCAN are not bound by patterns of keys: without the first the cache is blind, without the
// second it cannot list or remove by pattern.
func (s *Store) ACL() string {
	rules := []string{"resetkeys", "~" + escapeGlob(s.prefix) + "*", "resetchannels", "&" + escapeGlob(s.wakes.channel), "&" + escapeGlob(s.nearChannel), "-@all"}
	list := commands(s.cluster != nil)
	if s.replicas.want > 0 {
		list = append(list, "wait")
	}
	for _, command := range list {
		rules = append(rules, "+"+command)
	}
	return strings.Join(rules, " ")
}

// commands are those that a Store and near caches send, or run in a script: a script that may not run one of its own fails as
// a whole. A test works as a user who may do nothing else.
func commands(cluster bool) []string {
	list := []string{
		"get", "mget", "set", "unlink", "del", "pexpire", "pttl", "type", "getrange", "time", "exists", "append",
		"eval", "evalsha", "script|load",
		"publish", "subscribe", "unsubscribe",
		"getex", "client|tracking", // of near caches
		"ping", "info", "scan",
		// Of Publish, and of a Console.
		"dbsize", "strlen", "zadd", "zrem", "zrangebyscore", "zremrangebyscore",
	}
	if cluster {
		// The client's own: the map of slots, and how to find the keys of a command.
		list = append(list, "cluster|slots", "command", "asking")
	}
	return list
}
