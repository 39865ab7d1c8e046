package kit

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged returns whom database servers run as: PostgreSQL refuses to be root's, so the tests of a root, as in a
// container, run them as postgres or nobody. Everybody else runs them as themselves: nil.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var err error
	for _, name := range []string{"postgres", "nobody"} {
		var u *user.User
		if u, err = user.Lookup(name); err != nil {
			continue
		}
		uid, notUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, notGID := strconv.ParseUint(u.Gid, 10, 32)
		if notUID == nil && notGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("a database server must not run as root, and there is nobody else: %w", err)
}

// folder makes a temporary folder that belongs to them. It is no test's own: those are closed to others than the
// tests' user. Whoever asks for it removes it.
func folder(name string, as *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("", "kit-"+name+"-")
	if err != nil || as == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(as.Uid), int(as.Gid))
}

// prepare runs a program to its end, as them, with the folder for what it needs on the way.
func prepare(dir string, as *syscall.Credential, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}
