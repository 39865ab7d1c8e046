package kit

import "syscall"

// diesWithParent has the kernel kill the child when the tests die, even by SIGKILL or a timeout's panic.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
