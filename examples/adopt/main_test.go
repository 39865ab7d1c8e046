package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun_shows_two_old_answers_before_and_none_after(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	old, err := run(t.Context(), &out)
	if err != nil {
		t.Fatalf("run() = %v, after\n%s", err, &out)
	}
	if diff := cmp.Diff(map[string]int{"before": 2}, old); diff != "" {
		t.Errorf("old answers (-want +got):\n%s", diff)
	}
	for _, line := range []string{
		`it is renamed +Big mug, 10.00, 5 left +the same +the same\n`,
		`a sale +Big mug, 9.00, 5 left +OLD: Big mug, 10.00, 5 left +the same\n`,
		`before COMMIT +Huge mug, 9.00, 4 left +OLD: Huge mug, 9.00, 5 left +the same\n`,
		`ROLLBACK +Huge mug, 9.00, 4 left +the same +the same\n`,
		`old answers +2 +0\n`,
	} {
		if !regexp.MustCompile(line).MatchString(out.String()) {
			t.Errorf("nothing matches %q in\n%s", line, &out)
		}
	}
}

// TestReadme holds that the diff in the README is the one between the two services.
func TestReadme_has_the_diff_between_the_two_services(t *testing.T) {
	t.Parallel()
	_, rest, found := strings.Cut(text(t, "../../README.md"), "```diff\n")
	diff, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("README.md has no ```diff block")
	}
	got, err := patch(text(t, "before/service.go"), diff)
	if err != nil {
		t.Fatalf("the diff does not fit before/service.go: %v; it is made by: diff -U1 before/service.go after/service.go | tail -n +3", err)
	}
	if diff := cmp.Diff(text(t, "after/service.go"), got); diff != "" {
		t.Errorf("before/service.go with the diff of README.md is not after/service.go (-want +got):\n%s", diff)
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// patch applies a unified diff without its two head lines.
func patch(before, diff string) (after string, err error) {
	lines := strings.SplitAfter(before, "\n")
	var out strings.Builder
	done := 0
	for line := range strings.Lines(diff) {
		mark, rest := line[0], line[1:]
		switch mark {
		case '@':
			var from int
			if _, err := fmt.Sscanf(line, "@@ -%d", &from); err != nil {
				return "", fmt.Errorf("%q: %w", line, err)
			}
			if from-1 < done || from-1 > len(lines) {
				return "", fmt.Errorf("%q is out of order", line)
			}
			out.WriteString(strings.Join(lines[done:from-1], ""))
			done = from - 1
		case ' ', '-', '\n':
			if mark == '\n' { // an empty line whose blank somebody took away
				rest = line
			}
			if done == len(lines) || lines[done] != rest {
				return "", fmt.Errorf("line %d is not %q", done+1, rest)
			}
			if mark != '-' {
				out.WriteString(rest)
			}
			done++
		case '+':
			out.WriteString(rest)
		default:
			return "", fmt.Errorf("%q is not of a diff", line)
		}
	}
	return out.String() + strings.Join(lines[done:], ""), nil
}
