package model_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/model"
)

// reach is the largest scenario that this run explores to its end: all with TORTURE=1, fewer where the race detector makes each
// step ten times dearer.
func reach() model.Size {
	switch {
	case os.Getenv("TORTURE") == "1":
		return model.Large
	case raceDetector || testing.Short():
		return model.Small
	}
	return model.Medium
}

// heavy lets one large scenario at a time remember its worlds.
type heavy struct{ sync.Mutex }

func (h *heavy) explore(sc model.Scenario, off ...model.Rule) model.Report {
	if sc.Size == model.Large {
		h.Lock()
		defer h.Unlock()
	}
	return sc.Explore(off...)
}

func TestModel(t *testing.T) {
	t.Parallel()
	var one heavy
	for _, sc := range model.Scenarios() {
		t.Run("no promise breaks in "+sc.Name, func(t *testing.T) {
			t.Parallel()
			if sc.Size > reach() {
				t.Skip("larger than this run reaches: set TORTURE=1")
			}
			report := one.explore(sc)
			t.Logf("%d worlds", report.Worlds)
			for _, p := range report.News(sc) {
				if story, broken := report.Stories[p]; broken {
					t.Errorf("with all rules on, %v", story)
				} else {
					t.Errorf("%v does not break: the scenario says that it is known to", p)
				}
			}
		})
	}
}

func TestModelWithoutOneRule(t *testing.T) {
	t.Parallel()
	page := readPage(t)
	var one heavy
	var mu sync.Mutex
	told := map[model.Rule]model.Story{}
	t.Run("rules", func(t *testing.T) {
		for _, rule := range model.Rules() {
			t.Run("without "+rule.String(), func(t *testing.T) {
				t.Parallel()
				if rule.Redundant() {
					staysWhole(t, &one, rule)
					return
				}
				story, all := breaks(t, rule)
				if !all {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				told[rule] = story
				if want := pageRow(rule, &story); !*update && !strings.Contains(page, want) {
					t.Errorf("docs/protocol.md tells another story; run with -update. Want the row\n%s", want)
				}
			})
		}
	})
	if *update {
		writePage(t, page, told)
	}
}

// staysWhole explores a rule's scenarios without it, and finds nothing broken.
func staysWhole(t *testing.T, one *heavy, rule model.Rule) {
	t.Helper()
	worlds := 0
	for _, sc := range rule.Scenarios() {
		if sc.Size > reach() {
			continue
		}
		report := one.explore(sc, rule)
		worlds += report.Worlds
		for _, story := range report.Stories {
			t.Errorf("without %q, said to be redundant: %v", rule, story)
		}
	}
	t.Logf("redundant within %d worlds", worlds)
}

// breaks looks for a broken promise in each scenario that is to show one. It returns a shortest story, and whether all
// scenarios were within reach. A story ends an exploration early, so larger scenarios than elsewhere are.
func breaks(t *testing.T, rule model.Rule) (model.Story, bool) {
	t.Helper()
	var shortest model.Story
	all, worlds := true, 0
	scenarios := rule.Scenarios()
	if len(scenarios) == 0 {
		t.Fatalf("%q names no scenario: nothing shows what it is for", rule)
	}
	for _, sc := range scenarios {
		if reach() == model.Small && sc.Size == model.Large {
			all = false
			continue
		}
		report := sc.ExploreToFirst(rule)
		worlds += report.Worlds
		if len(report.Stories) == 0 {
			t.Errorf("without %q no promise breaks in %q (%d worlds)", rule, sc.Name, report.Worlds)
		}
		for _, story := range report.Stories {
			if len(shortest.Steps) == 0 || len(story.Steps) < len(shortest.Steps) {
				shortest = story
			}
		}
	}
	t.Logf("%d worlds, then %v", worlds, shortest)
	return shortest, all && len(shortest.Steps) > 0
}

func TestTheKnownGapIsToldInThreeSteps(t *testing.T) {
	t.Parallel()
	for _, sc := range model.Scenarios() {
		if len(sc.Known) == 0 {
			continue
		}
		want := "W1 writes; W1 COMMIT; **W1 killed**"
		if diff := cmp.Diff(want, sc.Explore().Stories[model.RestFresh].Line()); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", sc.Name, diff)
		}
	}
}

func TestAnExplorationFindsTheSameWorldsEachTime(t *testing.T) {
	t.Parallel()
	for _, sc := range model.Scenarios() {
		if sc.Name != "restart" && sc.Name != "in transaction" {
			continue
		}
		first, again := sc.Explore(), sc.Explore()
		if first.Worlds != again.Worlds {
			t.Errorf("%q: %d worlds, then %d", sc.Name, first.Worlds, again.Worlds)
		}
	}
}

// The excuse is there for the key that nobody has asked for yet. Without a loss it is never stored for one hold time only;
// with the excuse off it is, and that must be seen, or the promise would hold of nothing.
func TestAColdKeyIsStoredWithoutLimitAsLongAsNothingWasLost(t *testing.T) {
	t.Parallel()
	for _, sc := range model.Scenarios() {
		if sc.Name != "cold" {
			continue
		}
		if story, broken := sc.Explore().Stories[model.Cold]; broken {
			t.Errorf("with all rules on, %v", story)
		}
		if _, broken := sc.Explore(model.Excuse).Stories[model.Cold]; !broken {
			t.Error("without the excuse every cold key is stored without limit: the scenario shows nothing")
		}
	}
}
