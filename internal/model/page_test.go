package model_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/model"
)

var update = flag.Bool("update", false, "write the table of rules in docs/protocol.md anew")

const (
	tableBegins = "<!-- rules: written by go test ./internal/model -update -->\n"
	tableEnds   = "<!-- end of rules -->"
)

func pagePath() string { return filepath.Join("..", "..", "docs", "protocol.md") }

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(pagePath())
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// pageRow is a rule's line in the table; without a story it is the line up to there.
func pageRow(rule model.Rule, story *model.Story) string {
	row := fmt.Sprintf("| %s | %s | ", rule, rule.Says())
	if story == nil {
		return row
	}
	return fmt.Sprintf("%s%s (%s): %s |\n", row, story.Promise, story.Scenario, story.Line())
}

func writePage(t *testing.T, page string, told map[model.Rule]model.Story) {
	t.Helper()
	before, rest, begins := strings.Cut(page, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("%s has no table to write: want %q and %q", pagePath(), tableBegins, tableEnds)
	}
	var table strings.Builder
	table.WriteString("| rule | what it says | without it |\n| --- | --- | --- |\n")
	for _, rule := range model.Rules() {
		story, isTold := told[rule]
		switch {
		case rule.Redundant():
			table.WriteString(pageRow(rule, nil) + "Nothing, within the bounds: kept because it is simpler to say. |\n")
		case !isTold:
			t.Fatalf("no story for %q: update with all scenarios within reach", rule)
		default:
			table.WriteString(pageRow(rule, &story))
		}
	}
	if err := os.WriteFile(pagePath(), []byte(before+tableBegins+table.String()+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestThePageNamesExactlyTheRulesOfTheModel(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("the page is being written")
	}
	_, rest, _ := strings.Cut(readPage(t), tableBegins)
	table, _, _ := strings.Cut(rest, tableEnds)
	var got, want []string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \| (.*?) \| .+ \|$`).FindAllStringSubmatch(table, -1) {
		if row[1] == "rule" || row[1] == "---" {
			continue
		}
		got = append(got, row[1]+": "+row[2])
	}
	for _, rule := range model.Rules() {
		want = append(want, rule.String()+": "+rule.Says())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules in %s (-model +page):\n%s", pagePath(), diff)
	}
}

func TestEveryRuleHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, rule := range model.Rules() {
		if rule.String() == "" || rule.Says() == "" || seen[rule.String()] {
			t.Errorf("rule %d is called %q and says %q: want a name and a sentence of its own", rule, rule, rule.Says())
		}
		seen[rule.String()] = true
	}
}
