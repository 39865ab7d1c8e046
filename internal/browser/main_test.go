package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/suite"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := tearDown(); err != nil {
		fmt.Fprintln(os.Stderr, "after the tests:", err)
		code = max(code, 1)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// ends are what the tests share and has to be ended after them, the last first.
var ends []func() error

func tearDown() (err error) {
	for _, end := range slices.Backward(ends) {
		err = errors.Join(err, end())
	}
	return err
}

// chromiums are the names that systems have for it.
var chromiums = []string{"chromium", "chromium-browser", "google-chrome"}

// started is the one browser of a run. What tests do in it is apart: see newTab.
var started = sync.OnceValues(func() (context.Context, error) {
	var path string
	for _, name := range chromiums {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, exec.ErrNotFound
	}
	profile, err := os.MkdirTemp("", "cacheme-browser-")
	if err != nil {
		return nil, err
	}
	var chromium *exec.Cmd
	on := func(name string) chromedp.ExecAllocatorOption { return chromedp.Flag(name, true) }
	allocator, free := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(profile, "profile")),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		on("disable-quic"), on("disable-background-networking"), on("disable-component-update"), on("disable-sync"), on("disable-dev-shm-usage"),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			// A group of its own, so that its children end with it.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			chromium = cmd
		}))
	ctx, cancel := chromedp.NewContext(allocator)
	err = chromedp.Do(ctx)
	ends = append(ends, func() error {
		closing, stop := context.WithTimeout(ctx, 10*time.Second)
		defer stop()
		err := chromedp.Cancel(closing)
		if chromium != nil && chromium.Process != nil {
			_ = syscall.Kill(-chromium.Process.Pid, syscall.SIGKILL) // nobody is left, as a rule
		}
		cancel()
		free()
		return errors.Join(err, removeAll(profile))
	})
	return ctx, err
})

// removeAll removes a folder into which processes that are ending may still write.
func removeAll(folder string) (err error) {
	for range 50 {
		if err = os.RemoveAll(folder); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// browser returns the browser of this run, or ends the test where there is none.
func browser(t testing.TB) context.Context {
	t.Helper()
	ctx, err := started()
	if errors.Is(err, exec.ErrNotFound) {
		suite.Missing(t, "chromium")
	}
	if err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}
