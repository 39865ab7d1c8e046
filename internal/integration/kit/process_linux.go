package kit

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// diesWithParent has the kernel kill the child when the tests die, even by SIGKILL or a timeout's panic. The child's
// own children, which a database has, then notice by themselves and end too.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// children returns the pids of the process's children that live, stopped or not.
func children(pid int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	parent := []byte(strconv.Itoa(pid))
	var found []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// pid (name) state parent ..; the name may contain anything, a parenthesis too.
		end := bytes.LastIndexByte(stat, ')')
		fields := bytes.Fields(stat[end+1:])
		if len(fields) < 2 || !bytes.Equal(fields[1], parent) || string(fields[0]) == "Z" {
			continue
		}
		if child, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, child)
		}
	}
	return found, nil
}
