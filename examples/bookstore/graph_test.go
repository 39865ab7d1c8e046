package main

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
)

var update = flag.Bool("update", false, "draw docs/graph.svg anew")

// The picture in the documents is the one that this shop's declarations give.
func TestGraph_is_the_picture_in_the_documents(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server, db := openEmpty(t)
	s, err := openShop(server, db, newHistory(db), small())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close(ctx) })

	const path = "../../docs/graph.svg"
	g, err := s.cache.Graph(cacheme.GraphOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := g.SVG()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the shop declares: run this test with -update (-document +shop)\n%s", path, diff)
	}
}
