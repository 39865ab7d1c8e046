//go:build !linux

package kit

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// diesWithParent cannot be had outside Linux: there a test process that is killed leaves its servers behind.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// children returns the pids of the process's children that live, stopped or not.
func children(pid int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,stat=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []int
	for line := range strings.Lines(string(out)) {
		var child, parent int
		var state string
		if n, _ := fmt.Sscan(line, &child, &parent, &state); n == 3 && parent == pid && !strings.HasPrefix(state, "Z") {
			found = append(found, child)
		}
	}
	return found, nil
}
