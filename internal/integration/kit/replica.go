package kit

import (
	"net"
	"path/filepath"
	"testing"
)

// Replica starts a PostgreSQL server that follows this one and can be read. Its data is this one's as it is now. Each arg
// is a piece of configuration: Replica(t, "-c", "recovery_min_apply_delay=2s") is one that lags. It is gone when the test
// ends, which has to be the one of the server itself.
func (s *PostgresServer) Replica(t testing.TB, args ...string) *PostgresServer {
	t.Helper()
	postgres := require(t, "postgres")
	// On PATH there may be a script of a distribution's, which looks for servers of its own.
	if target, err := filepath.EvalSymlinks(postgres); err == nil {
		postgres = target
	}
	host, port, err := net.SplitHostPort(s.Addr())
	s.check("find", err)
	install := func(binaries []string, args ...string) (*daemon, error) {
		d, data, err := newPostgres(binaries[0], args)
		if err != nil {
			return d, err
		}
		return d, prepare(d.dir, d.as, filepath.Join(filepath.Dir(binaries[0]), "pg_basebackup"),
			"-D", data, "-h", host, "-p", port, "-U", postgresUser, "--checkpoint=fast", "--no-sync", "--write-recovery-conf")
	}
	return &PostgresServer{own(t, install, []string{postgres}, args)}
}

// Promote makes a replica a server of its own, and returns when it takes writes.
func (s *PostgresServer) Promote() {
	s.t.Helper()
	s.check("promote", order(s.Database().Pgdriver(), "SELECT pg_promote()"))
}
