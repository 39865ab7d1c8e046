package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/cacheme/cacheme"
)

func (p *program) watch() *cobra.Command {
	var last int
	var once bool
	var length time.Duration
	c := &cobra.Command{
		Use: "watch", GroupID: groupLook, Args: cobra.NoArgs,
		Short: "Follow what is made wrong, as it happens, and by whom",
		Long: `Follow what is made wrong, as it happens, and by whom: a line for each write that is committed, with its operation, table, rows, the line of the
program, the process, and what it makes wrong. Entries that are removed are told by their keys.

It listens to what is published anyway and costs the services nothing. Times are Redis's, in UTC. Ctrl-C ends it. --last shows the newest writes of the last
day first, for which Redis is asked for up to 65536 small keys at once.`,
		Example: `  cacheme watch
  cacheme watch --last 20 --once       the last twenty writes
  cacheme watch --for 1m --json | jq -r .write.caller | sort | uniq -c`,
	}
	c.Flags().IntVar(&last, "last", 0, "how many of the newest writes to show first")
	c.Flags().BoolVar(&once, "once", false, "show these, and end")
	c.Flags().DurationVar(&length, "for", 0, "end after so long; 0: with Ctrl-C")
	return p.does(c, func(ctx context.Context, _ []string) error {
		switch {
		case last < 0 || length < 0:
			return usagef("--last and --for are not negative")
		case once && last == 0:
			return usagef("--once shows what --last asks for; write --last 20")
		}
		return p.attached(ctx, func(k *cacheme.Console, _ redis.UniversalClient) error {
			if err := p.lastWrites(ctx, k, last); err != nil || once {
				return err
			}
			following, cancel := ctx, func() {}
			if length > 0 {
				following, cancel = context.WithTimeout(ctx, length)
			}
			defer cancel()
			return k.Follow(following, p.printHappened)
		})
	})
}

// happened is one write and what it made wrong, or entries that were removed, as JSON.
type happened struct {
	At        time.Time       `json:"at,omitzero"`
	Write     *cacheme.Write  `json:"write,omitempty"`
	OneOf     []cacheme.Write `json:"one_of,omitempty"` // the write is one of these
	Note      string          `json:"note,omitempty"`   // why it is not known
	MadeWrong []string        `json:"made_wrong,omitempty"`
	Removed   []string        `json:"removed,omitempty"`
}

// lastWrites prints the newest writes, the newest last.
func (p *program) lastWrites(ctx context.Context, k *cacheme.Console, n int) error {
	if n == 0 {
		return nil
	}
	writes, err := k.Journal(ctx, n)
	if err != nil {
		return err
	}
	for i := len(writes) - 1; i >= 0; i-- {
		if err := p.printOne(happened{At: writes[i].At, Write: &writes[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) printHappened(some []cacheme.Followed, missed int) {
	for _, one := range together(some) {
		_ = p.printOne(one) // an error ends the command, see sink
	}
	if missed > 0 {
		fmt.Fprintf(p.err, "and %s more, too many to look up\n", count(missed))
	}
}

// together puts what one write made wrong, and what was removed at a time, into one.
func together(some []cacheme.Followed) (all []happened) {
	by := map[string]int{}
	for _, f := range some {
		who := "removed"
		if f.Name != "" {
			who = sayWho(f.LastWrite, f.OneOf, f.Note)
			if f.LastWrite != nil { // each token has a time of its own
				who += f.LastWrite.At.String()
			}
		}
		at, known := by[who]
		if !known {
			at = len(all)
			by[who] = at
			all = append(all, happened{At: f.At, Write: f.LastWrite, OneOf: f.OneOf, Note: f.Note})
		}
		if f.Name == "" {
			all[at].Removed = append(all[at].Removed, f.Key)
		} else {
			all[at].MadeWrong = append(all[at].MadeWrong, f.Name)
		}
	}
	return all
}

func sayWho(w *cacheme.Write, oneOf []cacheme.Write, note string) string {
	switch {
	case w != nil:
		return w.String()
	case len(oneOf) > 0:
		texts := make([]string, len(oneOf))
		for i, w := range oneOf {
			texts[i] = w.String()
		}
		return "one of: " + strings.Join(texts, "; or ")
	}
	return note
}

// shownNames is how many fit a line.
const shownNames = 5

func (p *program) printOne(h happened) error {
	if p.json {
		return p.line(h)
	}
	text, names := sayWho(h.Write, h.OneOf, h.Note), h.MadeWrong
	if h.Removed != nil {
		text, names = "removed", h.Removed
	}
	if n := len(names) - shownNames; n > 0 {
		names = append(names[:shownNames:shownNames], fmt.Sprintf("and %d more", n))
	}
	if len(names) > 0 {
		text += ": " + strings.Join(names, ", ")
	}
	at := h.At
	if at.IsZero() {
		at = time.Now() // nobody has told Redis's time yet
	}
	_, err := fmt.Fprintf(p.out, "%s %s\n", at.UTC().Format("15:04:05.000"), printable(text))
	return err
}
