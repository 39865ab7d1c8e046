package store_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/store"
)

// A script that may not run one of its commands fails as a whole: a user without it has no cache.
func TestACL_has_the_commands_of_all_scripts_and_both_channels(t *testing.T) {
	t.Parallel()
	s := store.New(start(t, embedded.Options{}).Client(), store.Options{Prefix: "P:", Hold: time.Second})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	rules := strings.Fields(s.ACL())
	files, err := filepath.Glob("lua/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	call := regexp.MustCompile(`redis\.p?call\('([A-Z]+)'`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(rules, "+"+strings.ToLower(m[1])) {
				t.Errorf("%s runs %s, which the rights lack", file, m[1])
			}
		}
	}
	for _, want := range []string{"&P:wake", "&" + s.NearChannel(), "+getex", "+client|tracking"} {
		if !slices.Contains(rules, want) {
			t.Errorf("the rights lack %s", want)
		}
	}
}
