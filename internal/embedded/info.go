package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/alicebob/miniredis/v2/server"
)

// traffic knows the connections and counts what came over them.
type traffic struct {
	mu       sync.Mutex
	commands int
	peers    map[*server.Peer]bool // every client's connection; true while it is inside MULTI
}

// see notes one command and returns whether it is one that a client sent outside MULTI.
//
// A script's commands come here too, each on a peer made for it whose context is already set; a client's peer has
// none at its first command.
func (t *traffic) see(p *server.Peer, command string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	multi, known := t.peers[p]
	if !known {
		if p.Ctx != nil {
			return false
		}
		if t.peers == nil {
			t.peers = make(map[*server.Peer]bool)
		}
		t.peers[p] = false
		p.OnDisconnect(func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			delete(t.peers, p)
		})
	}
	switch command {
	case "HELLO", "CLIENT":
		return true
	case "MULTI":
		t.peers[p] = true
	case "EXEC", "DISCARD":
		t.peers[p] = false
	}
	t.commands++
	return !multi
}

// Commands returns how many commands clients have sent since Start, over all runs. Those that set up a connection
// (HELLO, CLIENT) and those that a script calls are not counted.
func (s *Server) Commands() int {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.commands
}

// before runs ahead of every command and answers INFO: miniredis knows neither its server section nor evicted_keys,
// and lets nobody register the command again. Being in the server, the answer is the same for every client, over a
// socket, in a pipeline and on a connection that is just being set up, which a hook in one client could not give.
func (s *Server) before(p *server.Peer, command string, args ...string) bool {
	plain := s.traffic.see(p, command)
	if command != "INFO" || s.options.WithoutInfo || !plain {
		// Inside MULTI the answer must be QUEUED, which only miniredis can give.
		return false
	}
	p.WriteBulk(s.info(args))
	return true
}

// info renders the sections asked for, all of them where none is named; unknown ones are empty, as with Redis.
func (s *Server) info(sections []string) string {
	s.told.Lock()
	run, addr := s.told.run, s.told.addr
	s.told.Unlock()
	s.traffic.mu.Lock()
	commands, clients := s.traffic.commands, len(s.traffic.peers)
	s.traffic.mu.Unlock()

	_, port, _ := strings.Cut(addr, ":")
	if port == "" {
		port = "0"
	}
	var b strings.Builder
	for _, part := range []struct{ name, text string }{
		{"Server", "redis_version:7.0.0\r\nredis_mode:standalone\r\nrun_id:" + run + "\r\ntcp_port:" + port + "\r\n"},
		{"Clients", fmt.Sprintf("connected_clients:%d\r\n", clients)},
		{"Memory", "maxmemory:0\r\nmaxmemory_policy:noeviction\r\n"},
		{"Stats", fmt.Sprintf("total_commands_processed:%d\r\nevicted_keys:0\r\n", commands)},
		{"Replication", "role:master\r\nconnected_slaves:0\r\n"},
	} {
		if !wanted(part.name, sections) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "# %s\r\n%s", part.name, part.text)
	}
	return b.String()
}

func wanted(section string, asked []string) bool {
	return len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool {
		switch a := strings.ToLower(a); a {
		case "all", "default", "everything":
			return true
		default:
			return strings.EqualFold(a, section)
		}
	})
}

// newRun returns forty random hex digits, the form of Redis's own run id.
func newRun() string {
	id := make([]byte, 20)
	_, _ = rand.Read(id) // never fails, by its contract
	return hex.EncodeToString(id)
}
