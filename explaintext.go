package cacheme

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// giveReason says in a sentence what the state comes from.
func (x *Explanation) giveReason() {
	switch x.State {
	case StateFresh:
		x.Reason = "every token is the one that it was loaded under"
		if x.NotFound {
			x.Reason = "the load found nothing, and that is cached; " + x.Reason
		}
	case StateExpired:
		x.Reason = "its TTL was over " + ago(-x.Left)
	case StateMadeWrong:
		x.Reason = x.because(func(d DependencyState) bool { return d.Wrong })
	case StateHeld:
		x.Reason = x.because(func(d DependencyState) bool { return d.Held })
	case StateTokenGone:
		x.Reason = x.because(func(d DependencyState) bool { return d.Missing })
	case StateBornInvalid:
		x.Reason = "nobody could tell whether its result changed while it was loaded"
	case StateOtherRun:
		x.Reason = "it was written in another run of Redis, which was restarted or failed over since"
	case StateForeign:
		if x.Reason == "" {
			x.Reason = "its list of dependencies differs"
		}
		x.Reason = "another version of the program stored it: " + x.Reason
	case StateUndelivered:
		x.Reason = "this process made it wrong, and could not tell Redis yet"
	case StateAbsent:
		x.Reason = "there is no entry: never loaded, expired, removed or evicted"
		if x.Refused != "" {
			x.Reason = "there is no entry: the last load in this process was not stored, because " + x.Refused
		}
	default:
	}
}

// because names the dependencies that are to blame, the first with who did it.
func (x *Explanation) because(blame func(DependencyState) bool) string {
	var all []DependencyState
	for _, d := range x.Dependencies {
		if blame(d) {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		return ""
	}
	text := all[0].Name + ": " + all[0].history(x)
	if all[0].Held && !all[0].Wrong {
		text = all[0].Name + ": a writer's transaction is open on it"
	}
	if len(all) > 1 {
		text += fmt.Sprintf(" (and %d others)", len(all)-1)
	}
	return text
}

// history is who wrote it last, in words.
func (d *DependencyState) history(x *Explanation) string {
	switch {
	case d.LastWrite != nil:
		return d.LastWrite.text(x.Now, x.process)
	case len(d.OneOf) > 0:
		texts := make([]string, len(d.OneOf))
		for i, w := range d.OneOf {
			texts[i] = w.text(x.Now, x.process)
		}
		return "one of: " + strings.Join(texts, "; or ")
	}
	return d.Note
}

// String is the write in one line, with the process that wrote.
func (w Write) String() string { return w.text(time.Time{}, "") }

// text is the write in one line, with how long ago it was, and with its process where that is not the one that reads it.
func (w Write) text(now time.Time, here string) string {
	var b strings.Builder
	b.WriteString(w.Operation)
	if w.Table != "" {
		b.WriteString(" " + w.Table)
	}
	switch {
	case w.Whole:
		b.WriteString(" as a whole")
	case len(w.Rows) == 1 && w.Count <= 1:
		b.WriteString(" row " + w.Rows[0])
	case len(w.Rows) > 0:
		b.WriteString(" rows " + strings.Join(w.Rows, ", "))
		if w.Count > len(w.Rows) {
			fmt.Fprintf(&b, " and %d more", w.Count-len(w.Rows))
		}
	case w.Count > 0:
		fmt.Fprintf(&b, " (%d)", w.Count)
	}
	if w.Caller != "" {
		b.WriteString(" at " + w.Caller)
	}
	if !now.IsZero() && !w.At.IsZero() {
		b.WriteString(", " + ago(now.Sub(w.At)))
	}
	if w.Trace != "" {
		b.WriteString(", trace " + w.Trace)
	}
	if w.Process != "" && w.Process != here {
		b.WriteString(", by " + w.Process)
	}
	if w.Doubt {
		b.WriteString(", whose COMMIT got no answer")
	}
	return b.String()
}

func ago(d time.Duration) string {
	if d = d.Round(time.Second); d <= 0 {
		return "just now"
	}
	return d.String() + " ago"
}

// shownDependencies is how many fit a screen.
const shownDependencies = 15

// String is the explanation for a person: what it is, why, and what it hangs on, what is wrong first.
func (x *Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) is %s\n", x.Key, x.Node, strings.ToUpper(x.State.String()))
	fmt.Fprintf(&b, "  why    %s\n", x.Reason)
	fmt.Fprintf(&b, "  next   %s\n", x.Next)
	if x.Size > 0 {
		fmt.Fprintf(&b, "  entry  %d bytes in %s", x.Size, x.Tier)
		if x.Near {
			b.WriteString(", and near")
		}
		switch {
		case x.Loaded.IsZero():
		case x.Left > 0:
			fmt.Fprintf(&b, ", loaded %s, expires in %v", ago(x.Age), x.Left.Round(time.Second))
		default:
			fmt.Fprintf(&b, ", loaded %s, kept for %v to stand in", ago(x.Age), x.Kept.Round(time.Second))
		}
		b.WriteByte('\n')
	}
	if x.Lease != nil {
		where := "another process"
		if x.Lease.Here {
			where = "this process"
		}
		fmt.Fprintf(&b, "  lease  %s loads it, and has %v left\n", where, x.Lease.Left.Round(100*time.Millisecond))
	}
	if x.Refused != "" {
		fmt.Fprintf(&b, "  note   the last load in this process was not stored: %s\n", x.Refused)
	}
	if len(x.Dependencies) > 0 {
		b.WriteString("  depends on\n")
	}
	inOrder := x.WorstFirst()
	shown := inOrder[:min(len(inOrder), shownDependencies)]
	width := 0
	for _, d := range shown {
		width = max(width, min(40, len(d.Name)))
	}
	for _, d := range shown {
		fmt.Fprintf(&b, "    %-7s %-*s  %s\n", d.word(x.Loaded.IsZero()), width, d.Name, d.history(x))
	}
	if n := len(inOrder) - len(shown); n > 0 {
		fmt.Fprintf(&b, "    and %d more\n", n)
	}
	return b.String()
}

// word is what became of the dependency. Without an entry nothing has to be equal.
func (d *DependencyState) word(noEntry bool) string {
	switch {
	case d.Missing:
		return "GONE"
	case d.Held && !d.Wrong:
		return "HELD"
	case noEntry:
		return "-"
	case d.Equal:
		return "ok"
	}
	return "WRONG"
}

// WorstFirst is x.Dependencies in the order in which a person looks for what is to blame: what is wrong, what is held, what
// is missing, and the rest.
func (x *Explanation) WorstFirst() []DependencyState {
	inOrder := slices.Clone(x.Dependencies)
	slices.SortStableFunc(inOrder, func(a, b DependencyState) int { return a.rank() - b.rank() })
	return inOrder
}

func (d *DependencyState) rank() int {
	switch {
	case d.Wrong:
		return 0
	case d.Held:
		return 1
	case d.Missing:
		return 2
	case !d.Equal:
		return 3
	}
	return 4
}
