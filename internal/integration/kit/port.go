package kit

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are taken from below the range that Linux (from 32768) and macOS (from 49152) give to outgoing connections:
// a server that is down for a moment must find its port free when it comes back.
const (
	lowestPort  = 15000
	highestPort = 32000
)

// freePort returns a loopback port on which nobody listens now.
func freePort() (int, error) {
	var last error
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port: %w", last)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
