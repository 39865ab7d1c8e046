package embedded

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipe_end_of_a_connection(t *testing.T) {
	t.Parallel()
	near, far := pipe()
	if _, err := near.Write([]byte("rest")); err != nil {
		t.Fatal(err)
	}
	_ = near.Close()
	if got, err := io.ReadAll(far); string(got) != "rest" || err != nil {
		t.Errorf("what is read after the other end closed = %q, %v", got, err)
	}
	if n, err := far.Write([]byte("x")); n != 1 || err != nil {
		t.Errorf("Write to a closed end = %d, %v, want it lost without a word, as with a socket", n, err)
	}
	if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close = %v, want %v", err, net.ErrClosed)
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close = %v, want %v", err, net.ErrClosed)
	}
}

func TestPipe_deadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe()
		begin := time.Now()
		_ = near.SetDeadline(begin.Add(time.Second))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("Read = %v after %v", err, time.Since(begin))
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write past the deadline = %v", err)
		}

		// A deadline that is set while a Read waits counts for it, and a new one lets the end be used again.
		_ = near.SetDeadline(time.Time{})
		failed := make(chan error)
		go func() {
			_, err := near.Read(make([]byte, 1))
			failed <- err
		}()
		synctest.Wait()
		_ = near.SetReadDeadline(time.Now())
		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a waiting Read = %v", err)
		}
		_ = near.SetReadDeadline(time.Now().Add(time.Hour))
		_, _ = far.Write([]byte("y"))
		if n, err := near.Read(make([]byte, 9)); n != 1 || err != nil {
			t.Errorf("Read with a new deadline = %d, %v", n, err)
		}
	})
}
