package near

import (
	"context"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/redis/go-redis/v9/push"
)

// tracking returns a client of its own whose one connection asks the server to tell of every change of a tracked key:
// also of those that nobody publishes, by eviction, expiry, a flush, or somebody who writes past cacheme. Nil: the client
// cannot. A server that refuses is listened to without.
func (l *link) tracking() *redis.Client {
	user, ok := l.server.(*redis.Client)
	if !ok || user.Options().Protocol != 3 {
		return nil
	}
	o := *user.Options()
	o.PoolSize, o.MinIdleConns, o.MaxRetries = 1, 0, -1
	// The options name the processor of the user's client, which takes one handler for a name, and for ever.
	o.PushNotificationProcessor = nil
	// ... and a mode that it changes while it runs.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	connected := o.OnConnect
	o.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
		if connected != nil {
			if err := connected(ctx, conn); err != nil {
				return err
			}
		}
		command := []any{"client", "tracking", "on", "bcast"}
		for _, prefix := range l.feed.o.Tracked {
			command = append(command, "prefix", prefix)
		}
		_ = conn.Do(ctx, command...).Err() // where it is refused, what is published comes all the same
		return nil
	}
	client := redis.NewClient(&o)
	if err := client.RegisterPushNotificationHandler("invalidate", pushes{l.feed}, true); err != nil {
		client.Close()
		return nil
	}
	return client
}

// pushes takes what a server tells of tracked keys.
type pushes struct{ feed *feed }

// HandlePushNotification takes one push: the keys that changed, or nothing where all are gone.
//
// Most changes leave a token what it was: a load notes that it has seen it, or lets it live longer. Those that do not
// are published besides. So a push is a reason to look, not to forget.
func (p pushes) HandlePushNotification(_ context.Context, _ push.NotificationHandlerContext, notification []any) error {
	if len(notification) != 2 {
		return nil
	}
	keys, ok := notification[1].([]any)
	if !ok {
		p.feed.forget()
		return nil
	}
	for _, key := range keys {
		if key, ok := key.(string); ok && p.feed.wires.stretched(key) {
			p.feed.doubts.add(key)
		}
	}
	return nil
}
