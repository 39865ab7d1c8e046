package cacheme_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

type (
	// textID reads and writes itself as text, as UUID packages do.
	textID [16]byte
	tagged struct {
		ID textID `bun:",pk,type:uuid"`
	}
	counter uint16
	gauge   struct {
		ID    counter `bun:",pk"`
		Owner *int64
		User  *storedUser `bun:"rel:belongs-to,join:owner=id"`
	}
	// followed relates users with users.
	followed struct {
		FromID int64       `bun:",pk"`
		From   *storedUser `bun:"rel:belongs-to,join:from_id=id"`
		ToID   int64       `bun:",pk"`
		To     *storedUser `bun:"rel:belongs-to,join:to_id=id"`
	}
)

func (id *textID) UnmarshalText(text []byte) error {
	if len(text) != 16 {
		return fmt.Errorf("is %d characters long, not 16", len(text))
	}
	copy(id[:], text)
	return nil
}

type (
	ofTagged struct {
		cacheme.ModelInvalidNode
		ID textID `cacheme:"field"`
	}
	ofGauge struct {
		cacheme.ModelInvalidNode
		ID counter `cacheme:"field"`
	}
	ofGaugeUser struct {
		cacheme.ModelInvalidNode
		User int64 `cacheme:"field"`
	}
	ofFollowed struct {
		cacheme.ModelInvalidNode
		From int64 `cacheme:"field"`
		To   int64 `cacheme:"field"`
	}
	ofPointers struct {
		cacheme.ModelInvalidNode
		User *int64 `cacheme:"field,name=reader"`
		Book *int64 `cacheme:"field,name=volume"`
	}
	ofNothing struct{ cacheme.InvalidNode }
)

func (ofTagged) Meta() cacheme.Meta    { return cacheme.Meta{Model: (*tagged)(nil)} }
func (ofGauge) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*gauge)(nil)} }
func (ofGaugeUser) Meta() cacheme.Meta { return cacheme.Meta{Model: (*gauge)(nil)} }
func (ofFollowed) Meta() cacheme.Meta  { return cacheme.Meta{Model: (*followed)(nil), M2M: true} }
func (ofPointers) Meta() cacheme.Meta {
	return cacheme.Meta{Model: (*storedPlace)(nil), M2M: true}
}
func (ofNothing) Meta() cacheme.Meta { return cacheme.Meta{Key: "nothing"} }

// of forgets the type of the node, for tables.
func of[N cacheme.Invalid](from any) (cacheme.Invalid, error) { return cacheme.Of[N](from) }

func TestOfGivesOneKeyForWhateverIdentifiesARow(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, ofTagged{}, ofGauge{}, ofGaugeUser{}, ofFollowed{}, ofPointers{}, keyPlaces{})
	id := textID{'e', 'm', 'm', 'a', 15: '!'}
	owner := int64(12)
	for _, c := range []struct {
		of    func(any) (cacheme.Invalid, error)
		want  string
		froms []any
	}{
		{of[ofTagged], "tagged:656d6d61-0000-0000-0000-000000000021", []any{tagged{ID: id}, &tagged{ID: id}, id, [16]byte(id), "emma\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00!"}},
		{of[ofGauge], "gauge:65535", []any{gauge{ID: 65535}, counter(65535), 65535, "65535"}},
		{of[ofGauge], "gauge:255", []any{uint8(255), int16(255), "255", "0255"}},
		{of[ofGaugeUser], "gauge:user:12", []any{gauge{ID: 1, Owner: &owner}, storedUser{ID: 12}, &storedUser{ID: 12}, 12, &owner}},
		{of[ofGaugeUser], "gauge:user:0", []any{0}},
		{of[ofFollowed], "from:1:to:2", []any{followed{FromID: 1, ToID: 2}, &followed{FromID: 1, ToID: 2}}},
		{of[keyPlaces], "user:1:book:7", []any{storedPlace{UserID: 1, BookID: 7}}},
		{of[keyPlaces], "user:12:book:all", []any{storedUser{ID: 12}}},
		{of[keyPlaces], "user:all:book:7", []any{storedBook{ID: 7}}},
		{of[ofPointers], "reader:1:volume:7", []any{storedPlace{UserID: 1, BookID: 7}}},
		{of[ofPointers], "reader:all:volume:7", []any{storedBook{ID: 7}}},
	} {
		for _, from := range c.froms {
			node, err := c.of(from)
			if err != nil {
				t.Errorf("Of(%T %v) = %v, want %s", from, from, err, c.want)
				continue
			}
			if got, err := cache.KeyOf(node); got != c.want || err != nil {
				t.Errorf("KeyOf(Of(%T %v)) = %q, %v, want %q", from, from, got, err, c.want)
			}
		}
	}
}

func TestOfSaysWhyThereIsNoNode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   func(any) (cacheme.Invalid, error)
		from any
		want string
	}{
		{of[goodChange], nil, "cacheme: cacheme_test.goodChange: is asked from nil; give it a row or an id"},
		{of[goodChange], (*storedBook)(nil), "cacheme: cacheme_test.goodChange: is asked from nil; give it a row or an id"},
		{of[goodChange], storedBook{}, "cacheme: cacheme_test.goodChange.ID: is zero in this cacheme_test.storedBook: save the row first"},
		{of[goodChange], 0, "cacheme: cacheme_test.goodChange.ID: is zero: there is no such row"},
		{of[goodChange], "0", "cacheme: cacheme_test.goodChange.ID: is zero: there is no such row"},
		{of[goodChange], "emma", `cacheme: cacheme_test.goodChange.ID: is an integer, and "emma" is none`},
		{of[goodChange], uint64(1 << 63), "cacheme: cacheme_test.goodChange.ID: has type int64, which does not hold 9223372036854775808"},
		{of[goodChange], 1.5, "cacheme: cacheme_test.goodChange.ID: has type int64, and float64 does not become one"},
		{of[goodChange], storedUser{ID: 1}, "cacheme: cacheme_test.goodChange.ID: has type int64, and cacheme_test.storedUser does not become one"},
		{of[ofGauge], 65536, "cacheme: cacheme_test.ofGauge.ID: has type cacheme_test.counter, which does not hold 65536"},
		{of[ofGauge], -1, "cacheme: cacheme_test.ofGauge.ID: has type cacheme_test.counter, which does not hold -1"},
		{of[ofGauge], "-1", `cacheme: cacheme_test.ofGauge.ID: is an unsigned integer, and "-1" is none`},
		{of[ofTagged], "emma", "cacheme: cacheme_test.ofTagged.ID: is 4 characters long, not 16"},
		{of[ofTagged], textID{}, "cacheme: cacheme_test.ofTagged.ID: is zero: there is no such row"},
		{of[ofGaugeUser], storedUser{}, "cacheme: cacheme_test.ofGaugeUser.User: is zero in this cacheme_test.storedUser: save the row first"},
		{of[ofGaugeUser], gauge{ID: 1}, "cacheme: cacheme_test.ofGaugeUser.User: is nil in this cacheme_test.gauge, so there is nothing that it makes wrong; leave it out"},
		{of[keyPlaces], storedPlace{UserID: 1}, "cacheme: cacheme_test.keyPlaces.Book: is zero in this cacheme_test.storedPlace: save the row first"},
		{of[keyPlaces], 12, "cacheme: cacheme_test.keyPlaces: cannot be made from int; give it a cacheme_test.storedPlace, or fill in its fields"},
		{of[ofFollowed], storedUser{ID: 1}, "cacheme: cacheme_test.ofFollowed: cannot be made from cacheme_test.storedUser; give it a cacheme_test.followed, or fill in its fields"},
		{of[ofNothing], 1, "cacheme: cacheme_test.ofNothing: has no model; fill in its fields instead"},
		{of[badSides], 1, "cacheme: cacheme_test.badSides.M2M: needs two fields, one for each side of cacheme_test.storedPlace, named as its relations; this node has 1"},
		{of[*goodChange], 1, "cacheme: *cacheme_test.goodChange: is no struct that embeds cacheme.ModelInvalidNode; name one"},
	} {
		node, err := c.of(c.from)
		if err == nil || err.Error() != c.want {
			t.Errorf("Of(%T %v) = %+v, %v, want %s", c.from, c.from, node, err, c.want)
		}
		var usage *cacheme.UsageError
		var declaration *cacheme.DeclarationError
		if !errors.As(err, &usage) && !errors.As(err, &declaration) {
			t.Errorf("Of(%T %v) = %T, want a *UsageError or *DeclarationError", c.from, c.from, err)
		}
	}
}

func TestMustOf(t *testing.T) {
	t.Parallel()
	if n := cacheme.MustOf[goodChange](storedBook{ID: 7}); n != (goodChange{ID: 7}) {
		t.Errorf("MustOf = %+v", n)
	}
	defer func() {
		var usage *cacheme.UsageError
		if err, _ := recover().(error); !errors.As(err, &usage) {
			t.Errorf("recover() = %v, want a *UsageError", err)
		}
	}()
	cacheme.MustOf[goodChange](storedBook{})
	t.Error("MustOf(an unsaved book) returns")
}
