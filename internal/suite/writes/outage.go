package writes

import (
	"context"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// outage stands between a client and its Redis, and refuses or panics when told to.
type outage struct {
	down   atomic.Bool
	panics atomic.Bool // for who comes from the program; in a goroutine of the client's own nobody could catch it
}

type programKey struct{}

func (o *outage) check(ctx context.Context) error {
	if o.panics.Load() && ctx.Value(programKey{}) != nil {
		panic("a hook of the client's")
	}
	if o.down.Load() {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return nil
}

// DialHook refuses new connections.
func (o *outage) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := o.check(ctx); err != nil {
			return nil, err
		}
		return next(ctx, network, addr)
	}
}

// ProcessHook refuses commands.
func (o *outage) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := o.check(ctx); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook refuses pipelines.
func (o *outage) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := o.check(ctx); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}
