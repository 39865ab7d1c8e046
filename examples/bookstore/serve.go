package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// served is the bookstore as a site, with the admin page beside it: one process of the shop, until somebody interrupts it.
func served(ctx context.Context, c config, out *page) (err error) {
	c.hold = time.Second
	floor, err := openFloor(ctx, c, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.close(ctx)) }()
	shop, err := openShop(floor.redis, floor.db, floor.history, c) //nolint:contextcheck // what is asked of the database is bounded by itself
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close(ctx)) }()
	handler, end, err := newSite(ctx, shop, floor.db)
	if err != nil {
		return err
	}
	defer end()
	if err := shop.awaitCalm(ctx, c.hold); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.serve)
	if err != nil {
		return err
	}
	out.titlef("Open http://%s/, with the admin page at http://%s%s", listener.Addr(), listener.Addr(), adminAt)
	out.linef("%s", out.paint(red, "THIS IS A DEMONSTRATION: whoever reaches it is an operator who may see and clear everything, and nobody asks for a password."))
	out.linef("So it answers to this machine alone. Interrupt it (Ctrl-C) to end it.")
	out.linef("\nFrom a shell, with the command line of cmd/cacheme:\n  export CACHEME_REDIS=%s CACHEME_PREFIX=%s", cmp.Or(floor.redis.url, "<URL of -redis>"), floor.redis.prefix)
	return listen(ctx, listener, handler)
}

// awaitCalm waits until a visitor can see that what is cached stays. What is loaded while Redis is new is kept for one hold time at
// most, see docs/protocol.md, and new it is from the first load on.
func (s *shop) awaitCalm(ctx context.Context, hold time.Duration) error {
	if _, err := s.bargains.Get(ctx, Bargains{}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(hold):
	}
	return nil
}

// listen serves until ctx ends, and whatever is asked then for a second more.
func listen(ctx context.Context, listener net.Listener, handler http.Handler) error {
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // somebody keeps a page open to see what happens
		err = s.Close()
	}
	if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// loopback is the address to listen on, for one that was asked for: a port alone means this machine alone. What others
// could reach is refused, since the demonstration lets everybody do everything.
func loopback(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if !here(host) {
		return "", fmt.Errorf("%s can be reached from elsewhere, and there everybody may do everything: say :%s, which is this machine alone", address, port)
	}
	return net.JoinHostPort(host, port), nil
}

// here reports whether a host is this machine, seen from itself.
func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
