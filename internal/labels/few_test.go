package labels_test

import (
	"fmt"
	"testing"

	"github.com/cacheme/cacheme/internal/labels"
)

func TestFew(t *testing.T) {
	t.Parallel()
	var f labels.Few
	if got := f.Of("shop.Page", "the codec refuses it: value 7"); got != "the codec refuses it" {
		t.Errorf("Of() = %q, want what stands before the colon", got)
	}
	values := map[string]bool{}
	for i := range 1000 {
		values[f.Of("shop.Page", fmt.Sprint("reason ", i))] = true
	}
	if len(values) > 24 || !values["other"] {
		t.Errorf("1000 reasons are %d labels, want at most 24, with %q among them", len(values), "other")
	}
	if got := f.Of("shop.Page", "the codec refuses it"); got != "the codec refuses it" {
		t.Errorf("Of() = %q for one that is known, want itself", got)
	}
	if got := f.Of("shop.Shelf", "reason 999"); got != "reason 999" {
		t.Errorf("Of() = %q for another node, want its own", got)
	}
}
