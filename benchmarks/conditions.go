package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// observe notes the machine and the versions. What the machine does not tell is left empty.
func observe(ctx context.Context, rounds int, note string) (conditions, error) {
	s, err := startServer(ctx)
	if err != nil {
		return conditions{}, err
	}
	defer func() { _ = s.close() }()
	version, err := s.field(ctx, "server", "redis_version")
	if err != nil {
		return conditions{}, err
	}
	return conditions{
		Date: time.Now().UTC().Truncate(time.Minute), Rounds: rounds, Note: note,
		OS: runtime.GOOS + "/" + runtime.GOARCH, CPU: cpu(), Cores: runtime.NumCPU(), Load: load(),
		Go: strings.TrimPrefix(runtime.Version(), "go"), Redis: version, Versions: versions(),
	}, nil
}

// versions are those of the modules of all contenders.
func versions() map[string]string {
	wanted := map[string]bool{}
	for _, c := range contenders() {
		wanted[c.module] = true
	}
	found := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	for _, m := range info.Deps {
		switch {
		case !wanted[m.Path]:
		case m.Replace != nil:
			found[m.Path] = "of this repository"
		default:
			found[m.Path] = m.Version
		}
	}
	return found
}

// cpu is the processor's name where Linux tells it.
func cpu() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// load is the machine's load averages where Linux tells them.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
