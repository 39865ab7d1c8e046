// Package redisurl reads the URL of a Redis, whichever way that is run, for the programs that take one on their command line.
package redisurl

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a Redis that a URL names.
type Server struct {
	Name string // for a person: its addresses, and never a password
	Dial func() redis.UniversalClient
}

// Parse reads the URL of one Redis, of one that sentinels watch (master_name, and addr for further sentinels), or of a cluster
// (addr, for a second server of it), as go-redis has them. Its clients heed contexts and repeat nothing, as is recommended to
// users of a cache. They wait for a connection and for a reply as long as patience says, unless the URL says how long; 0 is as long as
// go-redis does. Nothing is sent. An error does not repeat the URL, and of one that may hold a password nothing at all.
func Parse(text string, patience time.Duration) (Server, error) {
	s, err := parse(text, patience)
	switch {
	case err == nil:
		return s, nil
	case strings.Contains(text, "@") || strings.Contains(text, "password="):
		return Server{}, errSecret
	}
	return Server{}, fmt.Errorf("this is no URL of a Redis: %w", withoutURL(err))
}

// errSecret is of a URL with a password. One with a slash in it ends where nobody meant it to, and then any error may quote the rest.
var errSecret = errors.New("this is no URL of a Redis, and what is wrong with it is not told, since it may hold a password; " +
	"in that, write %2F for /, %3F for ?, %23 for #, %25 for % and %40 for @")

func parse(text string, patience time.Duration) (Server, error) {
	set := func(heeds *bool, repeats *int, waits ...*time.Duration) {
		*heeds, *repeats = true, -1
		for _, w := range waits {
			*w = cmp.Or(*w, patience)
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return Server{}, err
	}
	switch q := u.Query(); {
	case u.Opaque != "":
		return Server{}, errors.New("there are no slashes before the address, which go-redis would take for localhost; write redis://") // and that is another server
	case q.Has("master_name"):
		o, err := redis.ParseFailoverURL(text)
		if err != nil {
			return Server{}, err
		}
		set(&o.ContextTimeoutEnabled, &o.MaxRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return Server{
			o.MasterName + " of the sentinels at " + strings.Join(o.SentinelAddrs, ", "),
			func() redis.UniversalClient { return redis.NewFailoverClient(o) },
		}, nil
	case q.Has("addr"):
		o, err := redis.ParseClusterURL(text)
		if err != nil {
			return Server{}, err
		}
		set(&o.ContextTimeoutEnabled, &o.MaxRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return Server{
			"the cluster of " + strings.Join(o.Addrs, ", "),
			func() redis.UniversalClient { return redis.NewClusterClient(o) },
		}, nil
	}
	o, err := redis.ParseURL(text)
	if err != nil {
		return Server{}, err
	}
	set(&o.ContextTimeoutEnabled, &o.MaxRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	return Server{o.Addr, func() redis.UniversalClient { return redis.NewClient(o) }}, nil
}

// withoutURL takes the URL out of an error of net/url.
func withoutURL(err error) error {
	if whole, ok := errors.AsType[*url.Error](err); ok {
		return whole.Err
	}
	return err
}
