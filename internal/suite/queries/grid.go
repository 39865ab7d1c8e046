package queries

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// cells are what each write of the grid does to one query, a letter each.
type cells string

const (
	kept     = '.' // the answer is the same, and is not loaded again
	loaded   = 'L' // the answer is another, and is loaded
	needless = 'n' // the answer is the same, and is loaded again
)

// grid asks every shape by every criterion, beside every write: what is cached is right afterwards, and is loaded again
// where the table says so and nowhere else.
func grid(t *testing.T, open writes.Open) {
	for c := range criteria {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, open(t), setup{})
			var asked []question
			var of []shape
			for _, s := range shapes() {
				if s.want[c] != "" {
					asked, of = append(asked, s.ask(p, c)), append(of, s)
				}
			}
			order := absentFirst(gridWrites(), c)
			for n, i := range order {
				w := gridWrites()[i]
				if n > 0 && w.without(c) != gridWrites()[order[n-1]].without(c) {
					check(t, p.rc.FlushAll(t.Context()))
				}
				got := p.strike(t, c, &w, asked)
				for j, s := range of {
					t.Run(s.name+"/"+w.name, func(t *testing.T) {
						switch want := rune(s.want[c][i]); {
						case got[j].wrong():
							t.Errorf("%s\ngets from the cache after the write\n%s", asked[j].text, cmp.Diff(got[j].truth, got[j].answer))
						case got[j].letter() != want:
							t.Errorf("%s\nwas %s by the write, want %s", asked[j].text, meaning(got[j].letter()), meaning(want))
						}
					})
				}
			}
		})
	}
}

// absentFirst are the indexes of the writes, those first that begin without message 1.
func absentFirst(all []write, c criterion) (order []int) {
	for i := range all {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if all[a].without(c) == all[b].without(c) {
			return 0
		}
		return map[bool]int{true: -1, false: 1}[all[a].without(c)]
	})
	return order
}

func meaning(letter rune) string {
	return map[rune]string{kept: "kept", loaded: "changed and loaded again", needless: "loaded again and the same"}[letter]
}

// outcome is what became of a cached answer.
type outcome struct {
	before, answer, truth string
	again                 bool // it was loaded again
}

func (o *outcome) wrong() bool { return o.answer != o.truth }

func (o *outcome) letter() rune {
	switch {
	case !o.again:
		return kept
	case o.truth == o.before:
		return needless
	default:
		return loaded
	}
}

// strike caches the answers, writes, and asks again. Afterwards the cache has answers of the world as it was, but those to
// questions that are then new.
func (p *place) strike(t *testing.T, c criterion, w *write, asked []question) []outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	check(t, p.plant(ctx, world(w.without(c))...))
	got := make([]outcome, len(asked))
	for i := range asked {
		var err error
		if got[i].before, err = asked[i].warm(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.do(ctx, p.db, c); err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	for i := range asked {
		var err error
		if got[i].answer, got[i].again, err = asked[i].again(ctx); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", asked[i].text, err))
		}
		got[i].truth, err = asked[i].plain(ctx)
		check(t, err)
		if got[i].answer != got[i].before || got[i].truth != got[i].before {
			asked[i].anew()
		}
	}
	return got
}
