package kit_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// echo starts a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		work.Wait()
	})
	return l.Addr().String()
}

type conn struct {
	*testing.T
	net.Conn
}

func connect(t *testing.T, addr string) conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return conn{t, c}
}

func (c conn) say(s string) {
	c.Helper()
	_, err := io.WriteString(c.Conn, s)
	must(c.T, err)
}

// hear waits for exactly the text.
func (c conn) hear(want string) {
	c.Helper()
	must(c.T, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c.Conn, b); err != nil || string(b) != want {
		c.Fatalf("read %q, %v, want %q", b, err, want)
	}
}

// echoes holds that the text comes back.
func (c conn) echoes(s string) {
	c.Helper()
	c.say(s)
	c.hear(s)
}

func (c conn) hearNothingFor(d time.Duration) {
	c.Helper()
	must(c.T, c.SetReadDeadline(time.Now().Add(d)))
	var late net.Error
	if n, err := c.Read(make([]byte, 1)); !errors.As(err, &late) || !late.Timeout() {
		c.Fatalf("read %d bytes, %v, want silence", n, err)
	}
}

func (c conn) hearTheEnd() {
	c.Helper()
	must(c.T, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	var late net.Error
	if n, err := c.Read(make([]byte, 1)); err == nil || errors.As(err, &late) && late.Timeout() {
		c.Fatalf("read %d bytes, %v, want the connection's end", n, err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()

	t.Run("passes_both_ways", func(t *testing.T) {
		t.Parallel()
		c := connect(t, kit.NewProxy(t, echo(t)).Addr())
		c.echoes("one")
		c.echoes("two")
		must(t, c.Conn.(*net.TCPConn).CloseWrite())
		c.hearTheEnd()
	})

	t.Run("refuses_and_heals_on_the_same_address", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		c := connect(t, p.Addr())
		c.echoes("x")
		p.Refuse()
		c.hearTheEnd()
		if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a dial while refusing = %v, want %v", err, syscall.ECONNREFUSED)
		}
		must(t, p.Heal())
		c = connect(t, p.Addr())
		c.echoes("y")
	})

	t.Run("swallows_without_a_word_and_delivers_when_healed", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		old := connect(t, p.Addr())
		old.echoes("x")
		p.BlackHole()
		young := connect(t, p.Addr())
		old.say("held")
		young.say("held too")
		old.hearNothingFor(50 * time.Millisecond)
		young.hearNothingFor(50 * time.Millisecond)
		must(t, p.Heal())
		old.hear("held")
		young.hear("held too")
	})

	t.Run("delays_replies_by_their_age", func(t *testing.T) {
		t.Parallel()
		const d = time.Second // longer than a busy machine takes for a reply
		p := kit.NewProxy(t, echo(t))
		c := connect(t, p.Addr())
		p.Delay(d)
		begin := time.Now()
		for range 20 {
			c.say("x")
		}
		c.hear("x")
		if took := time.Since(begin); took < d {
			t.Errorf("the first reply took %v, want at least %v", took, d)
		}
		for range 19 {
			c.hear("x")
		}
		if took := time.Since(begin); took > 10*d {
			t.Errorf("twenty replies took %v: the delays added up", took)
		}
		must(t, p.Heal())
		begin = time.Now()
		c.echoes("y")
		if took := time.Since(begin); took >= d {
			t.Errorf("a reply after Heal took %v", took)
		}
	})

	t.Run("tears_replies_where_it_is_told_to", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		c := connect(t, p.Addr())
		c.echoes("x")
		p.TearReplies(3)
		c.say("one two")
		c.hear("one")
		c.hearTheEnd()
		c = connect(t, p.Addr())
		c.echoes("y")
		must(t, p.Heal())
		c.echoes("one two")
	})

	t.Run("tears_requests_where_it_is_told_to", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		c := connect(t, p.Addr())
		p.TearRequests(0)
		c.say("one two")
		c.hearTheEnd()
		p.TearRequests(8)
		c = connect(t, p.Addr())
		c.echoes("one ")
		c.say("two three")
		c.hearTheEnd()
	})

	t.Run("leaves_connections_open_and_dead", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		old := connect(t, p.Addr())
		old.echoes("x")
		p.Strand()
		old.say("lost")
		young := connect(t, p.Addr())
		young.echoes("y")
		old.hearNothingFor(50 * time.Millisecond)
		p.Cut()
		old.hearTheEnd()
	})

	t.Run("ends_with_replies_on_their_way", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		c := connect(t, p.Addr())
		p.Delay(time.Hour)
		for range 200 {
			c.say("x")
			time.Sleep(100 * time.Microsecond) // a parcel each
		}
		p.Cut()
		c.hearTheEnd()
	})

	t.Run("cuts_what_is_open_and_takes_new_connections", func(t *testing.T) {
		t.Parallel()
		p := kit.NewProxy(t, echo(t))
		c := connect(t, p.Addr())
		c.echoes("x")
		p.Cut()
		c.hearTheEnd()
		c = connect(t, p.Addr())
		c.echoes("y")
	})
}

func TestProxy_before_Redis_is_bounded_by_the_context(t *testing.T) {
	t.Parallel()
	s := kit.Redis(t)
	p := kit.NewProxy(t, s.Addr())
	c := kit.Client(t, p.Addr())
	must(t, c.Ping(t.Context()).Err())
	p.BlackHole()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := c.Ping(ctx).Err(); err == nil {
		t.Error("PING into the black hole succeeded")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("PING with 50ms to live took %v", took)
	}
	must(t, p.Heal())
	must(t, c.Ping(t.Context()).Err())
}
