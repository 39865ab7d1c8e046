//go:build !linux

package kit

import "syscall"

// diesWithParent cannot be had outside Linux: there a test process that is killed leaves its servers behind.
func diesWithParent() *syscall.SysProcAttr { return nil }
