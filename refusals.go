package cacheme

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// refusals remembers why this process did not store what it loaded, so that Explain can say why nothing is there.
type refusals struct{ last *otter.Cache[string, refusal] }

type refusal struct {
	reason string
	at     time.Time
}

// maxRefusals bounds their memory: about half a megabyte.
const maxRefusals = 1 << 12

func newRefusals() refusals {
	return refusals{otter.Must(&otter.Options[string, refusal]{MaximumSize: maxRefusals})}
}

func (r refusals) set(entry, reason string) { r.last.Set(entry, refusal{reason, time.Now()}) }

func (r refusals) get(entry string) (refusal, bool) { return r.last.GetIfPresent(entry) }

// forget is for what was stored after all.
func (r refusals) forget(entry string) {
	if _, ok := r.get(entry); ok {
		r.last.Invalidate(entry)
	}
}
