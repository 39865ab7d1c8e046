package cacheme_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/suite/scenarios"
)

// Every mistake that can be seen in a declaration is told by Register, in these words.
func TestRegisterSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		give []cacheme.Declaration
		want []string
	}{
		{"unknown tag word", []cacheme.Declaration{badTagWord{}}, []string{
			tick(`cacheme: cacheme_test.badTagWord.User: has the unknown tag word "filed"; write ´cacheme:"field"´`),
			`cacheme: cacheme_test.badTagWord.Year: has the unknown tag word "nmae=y"; only name=... may follow field`,
			`cacheme: cacheme_test.badTagWord.Kind: has the name "a-b", which cannot stand in a template; use letters, digits and '_'`,
			tick(`cacheme: cacheme_test.badTagWord.Key: "user:<user>" has the hole <user> and no field for it; add a field tagged ´cacheme:"field,name=user"´ or take the hole out`),
		}},
		{"exported field without a tag", []cacheme.Declaration{badUntagged{}}, []string{
			tick(`cacheme: cacheme_test.badUntagged.Page: is not a key field; write ´cacheme:"field"´ behind it, or make it unexported if it is not part of the key`),
		}},
		{"unexported key field", []cacheme.Declaration{badUnexported{}}, []string{
			`cacheme: cacheme_test.badUnexported.user: is tagged as a key field but not exported; begin its name with a capital`,
		}},
		{"two fields of one name", []cacheme.Declaration{badTwins{}}, []string{
			tick(`cacheme: cacheme_test.badTwins.Owner: has the same name in the key as UserID: "user_id"; write ´cacheme:"field,name=other"´`),
		}},
		{"fields of kinds without a key", []cacheme.Declaration{badKinds{}}, []string{
			`cacheme: cacheme_test.badKinds.Any: has type interface {}, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`,
			`cacheme: cacheme_test.badKinds.Float: has type float64, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`,
			`cacheme: cacheme_test.badKinds.Slice: has type []int64, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`,
			`cacheme: cacheme_test.badKinds.Map: has type map[string]int, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`,
			`cacheme: cacheme_test.badKinds.Deep: has type **int64, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`,
		}},
		{"hole without a field", []cacheme.Declaration{badHole{}}, []string{
			tick(`cacheme: cacheme_test.badHole.Key: "user:<user>:page:<page>" has the hole <page> and no field for it; add a field tagged ´cacheme:"field,name=page"´ or take the hole out`),
		}},
		{"field without a hole", []cacheme.Declaration{badField{}}, []string{
			`cacheme: cacheme_test.badField.Page: has no hole in the key "user:<user>", so that values with different Page would share it; add <page>`,
		}},
		{"no key", []cacheme.Declaration{badNoKey{}}, []string{
			`cacheme: cacheme_test.badNoKey.Meta: has no Key; write a template such as "user:<user>:shelf"`,
		}},
		{"white space in the key", []cacheme.Declaration{badText{}}, []string{
			`cacheme: cacheme_test.badText.Key: key template "a key:<id>", byte 1: white space (U+0020) is not allowed in a key: write ':', '-' or '_' instead`,
		}},
		{"holes that touch", []cacheme.Declaration{badGlued{}}, []string{
			`cacheme: cacheme_test.badGlued.Key: key template "glued:<a><b>", byte 9: between <a> and <b> nothing shows where one value ends, so two nodes could share a key: write a separator between them that no value contains, such as ':' or '/'`,
		}},
		{"part with a name that no key may hold", []cacheme.Declaration{badPart{}}, []string{
			`cacheme: cacheme_test.badPart.Field: "the owner" may hold only letters, digits, '_', '-' and '.'; write a name such as "owner"`,
		}},
		{"negative times and sizes", []cacheme.Declaration{badTTL{}}, []string{
			`cacheme: cacheme_test.badTTL.TTL: is negative: -1s; leave it out for the default`,
			`cacheme: cacheme_test.badTTL.Negative: is negative: -1m0s; leave it out for the default`,
			`cacheme: cacheme_test.badTTL.MaxValue: is -1; write a size in bytes, at most 8388608 (8 MiB), or leave it out for the option's`,
		}},
		{"model of a node that caches", []cacheme.Declaration{badModel{}}, []string{
			`cacheme: cacheme_test.badModel.Model: belongs to invalid nodes; declare one that embeds cacheme.ModelInvalidNode and return it from InvalidNodes`,
		}},
		{"inherited Meta", []cacheme.Declaration{badHeir{}}, []string{
			`cacheme: cacheme_test.badHeir.Meta: is inherited from an embedded struct, whose key it would share; write a Meta method for this type itself`,
		}},
		{"nothing embedded", []cacheme.Declaration{badBare{}}, []string{
			`cacheme: cacheme_test.badBare: embeds neither cacheme.Node, cacheme.InvalidNode nor cacheme.ModelInvalidNode; embed the one that you mean`,
		}},
		{"no struct", []cacheme.Declaration{badInt(0)}, []string{
			`cacheme: cacheme_test.badInt: is not a struct; declare nodes as structs that embed cacheme.Node`,
		}},
		{"pointer receivers", []cacheme.Declaration{badReceiver{}}, []string{
			`cacheme: cacheme_test.badReceiver.InvalidNodes: has a pointer receiver and would not be found; write func (n badReceiver) InvalidNodes`,
			`cacheme: cacheme_test.badReceiver.Skip: has a pointer receiver and would not be found; write func (n badReceiver) Skip`,
			`cacheme: cacheme_test.badReceiver.Miss: has a pointer receiver and would not be found; write func (n badReceiver) Miss`,
			`cacheme: cacheme_test.badReceiver.ResultInvalidNodes: has a pointer receiver and would not be found; write func (n badReceiver) ResultInvalidNodes`,
			`cacheme: cacheme_test.badReceiver.Hit: has a pointer receiver and would not be found; write func (n badReceiver) Hit`,
		}},
		{"other signatures", []cacheme.Declaration{badShape{}}, []string{
			`cacheme: cacheme_test.badShape.InvalidNodes: is func(context.Context) []cacheme.Invalid and would not be found; write InvalidNodes() []cacheme.Invalid`,
			`cacheme: cacheme_test.badShape.Skip: is func() bool and would not be found; write Skip(context.Context) bool`,
			`cacheme: cacheme_test.badShape.Miss: is func(string) and would not be found; write Miss(context.Context, string)`,
			`cacheme: cacheme_test.badShape.ResultInvalidNodes: is func([]*int) []cacheme.Invalid and would not be found; write ResultInvalidNodes([]int) []cacheme.Invalid`,
			`cacheme: cacheme_test.badShape.Hit: is func(context.Context, []int) and would not be found; write Hit(context.Context, string, []int)`,
		}},
		{"value that does not survive the codec", []cacheme.Declaration{badValue{}}, []string{
			`cacheme: cacheme_test.badValue: caches cacheme_test.badStored, which would not come back as it was: badStored.Hook is a func, which has no stored form: keep it out of cached values`,
			`cacheme: cacheme_test.badValue: caches cacheme_test.badStored, which would not come back as it was: badStored.Extra is the interface interface {}, whose values would come back as another type: name the type`,
		}},
		{"value without a stored form", []cacheme.Declaration{badChan{}}, []string{
			`cacheme: cacheme_test.badChan: caches chan int, which would not come back as it was: chan int is a chan, which has no stored form: keep it out of cached values`,
		}},
		{"keys that another node can make", []cacheme.Declaration{badRivalA{}, badRivalB{}, badRivalC{}}, []string{
			`cacheme: cacheme_test.badRivalB.Key: "book:<name>" can make the same key as cacheme_test.badRivalA, "book:<id>": for example "book:1"; begin one of them differently`,
			`cacheme: cacheme_test.badRivalC.Key: "book:best" can make the same key as cacheme_test.badRivalA, "book:<id>": for example "book:best"; begin one of them differently`,
			`cacheme: cacheme_test.badRivalC.Key: "book:best" can make the same key as cacheme_test.badRivalB, "book:<name>": for example "book:best"; begin one of them differently`,
		}},
		{"invalid node without key", []cacheme.Declaration{badPlainNoKey{}}, []string{
			`cacheme: cacheme_test.badPlainNoKey.Meta: has no Key; write a template such as "shop:<shop>:prices"`,
		}},
		{"plain invalid node with a model", []cacheme.Declaration{badPlainModel{}}, []string{
			`cacheme: cacheme_test.badPlainModel.Model: needs an invalid node that embeds cacheme.ModelInvalidNode instead of cacheme.InvalidNode`,
		}},
		{"invalid node without its model", []cacheme.Declaration{badNoModel{}}, []string{
			`cacheme: cacheme_test.badNoModel.Meta: has no Model; write Model: (*Book)(nil)`,
		}},
		{"model that is a value", []cacheme.Declaration{badModelValue{}}, []string{
			`cacheme: cacheme_test.badModelValue.Model: is a cacheme_test.storedBook; write a nil pointer to the bun model, such as (*Book)(nil)`,
		}},
		{"model that is no struct", []cacheme.Declaration{badModelType{}}, []string{
			`cacheme: cacheme_test.badModelType.Model: is a string; write a nil pointer to the bun model, such as (*Book)(nil)`,
		}},
		{"field that is no column", []cacheme.Declaration{badModelColumn{}}, []string{
			tick(`cacheme: cacheme_test.badModelColumn.Titel: is neither a relation, a field nor a column of cacheme_test.storedBook; name the field as one of them; ´cacheme:"field,name=..."´ names it otherwise in the key`),
		}},
		{"many-to-many node with one side", []cacheme.Declaration{badSides{}}, []string{
			`cacheme: cacheme_test.badSides.M2M: needs two fields, one for each side of cacheme_test.storedPlace, named as its relations; this node has 1`,
		}},
		{"side of a kind without a key", []cacheme.Declaration{badSideKind{}}, []string{
			`cacheme: cacheme_test.badSideKind.User: has type float64, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them`,
			`cacheme: cacheme_test.badSideKind.M2M: needs two fields, one for each side of cacheme_test.storedPlace, named as its relations; this node has 1`,
		}},
		{"model that bun refuses", []cacheme.Declaration{badUnreadable{}}, []string{
			`cacheme: cacheme_test.badUnreadable.Model: cacheme_test.unreadable.Book: cacheme_test.unreadable has no column nothing; write join:column=id with a column of cacheme_test.unreadable`,
		}},
		{"nil", []cacheme.Declaration{nil}, []string{
			`cacheme: nil: is no declaration; give Register zero values such as Shelf{}`,
		}},
		{"pointer", []cacheme.Declaration{&badBase{}}, []string{
			`cacheme: *cacheme_test.badBase: is a pointer; give Register the value: cacheme_test.badBase{}`,
		}},
		{"reference", []cacheme.Declaration{cacheme.Tag("x")}, []string{
			`cacheme: cacheme.reference: is no declaration of yours; Class, Table, Main, Tag, Row, Having, By, Named, and what Columns and Bound make, need no registration`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cache := cachetest.New(t)
			got := problems(t, cache.Register(c.give...))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Register (-want +got):\n%s", diff)
			}
			if n := cache.Nodes(); len(n) != 0 {
				t.Errorf("Nodes() = %v after a refusal, want none", n)
			}
		})
	}
}

// tick writes ´ for the character that a raw string cannot hold.
func tick(text string) string { return strings.ReplaceAll(text, "´", "`") }

// problems are the texts of a joined error, each of which has to be a *DeclarationError.
func problems(t *testing.T, err error) (texts []string) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("Register = %v (%T), want joined errors", err, err)
	}
	for _, e := range joined.Unwrap() {
		var d *cacheme.DeclarationError
		if !errors.As(e, &d) || d.Node == "" || d.Reason == "" {
			t.Errorf("%v is no *DeclarationError with a node and a reason: %#v", e, e)
		}
		texts = append(texts, e.Error())
	}
	return texts
}

func TestRegisterTellsSeveralMistakesAtOnceAndKeepsNothing(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	got := problems(t, cache.Register(goodNode{}, badNoKey{}, &badBase{}, badField{}, badSides{}))
	var places []string
	for _, text := range got {
		place, _, _ := strings.Cut(strings.TrimPrefix(text, "cacheme: "), ": ")
		places = append(places, place)
	}
	want := []string{
		"cacheme_test.badNoKey.Meta", "*cacheme_test.badBase", "cacheme_test.badField.Page", "cacheme_test.badSides.M2M",
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("places of the problems (-want +got):\n%s", diff)
	}
	var usage *cacheme.UsageError
	if _, err := cache.KeyOf(goodNode{}); !errors.As(err, &usage) {
		t.Errorf("KeyOf(goodNode) = %v, want a *UsageError: it was refused with the others", err)
	}
	if err := cache.Register(goodNode{}); err != nil {
		t.Errorf("Register(goodNode) = %v", err)
	}
}

func TestMustRegisterPanicsWithTheProblems(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	defer func() {
		err, _ := recover().(error)
		var d *cacheme.DeclarationError
		if !errors.As(err, &d) || d.Node != "cacheme_test.badNoKey" {
			t.Errorf("recover() = %v, want a *DeclarationError of badNoKey", err)
		}
	}()
	cache.MustRegister(goodNode{})
	cache.MustRegister(badNoKey{})
	t.Error("MustRegister(badNoKey) returns")
}

func TestRegisteringTwiceIsFine(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	for range 2 {
		if err := cache.Register(goodNode{}, goodNode{}, goodChange{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := cache.Nodes(); len(n) != 1 || n[0].Node != "cacheme_test.goodNode" || n[0].Key != "good:<id>" || n[0].Meta.TTL != time.Minute {
		t.Errorf("Nodes() = %+v, want goodNode alone", n)
	}
}

func TestGenericNodesAreNodesOfTheirOwn(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, pageOf[storedBook]{}, pageOf[storedUser]{})
	ctx := context.Background()
	books, err := cacheme.GetFrom(ctx, cache.Cache, pageOf[storedBook]{N: 1}, func(context.Context, pageOf[storedBook]) ([]storedBook, error) {
		return []storedBook{{ID: 7, Title: "Emma"}}, nil
	})
	if err != nil || len(books) != 1 {
		t.Fatalf("GetFrom = %v, %v", books, err)
	}
	users, err := cacheme.GetFrom(ctx, cache.Cache, pageOf[storedUser]{N: 1}, func(context.Context, pageOf[storedUser]) ([]storedUser, error) {
		return []storedUser{{ID: 12}}, nil
	})
	if err != nil || len(users) != 1 || users[0].ID != 12 {
		t.Fatalf("GetFrom = %v, %v, want the user", users, err)
	}
	if err := cache.Invalidate(ctx, cacheme.Class[pageOf[storedBook]]()); err != nil {
		t.Fatal(err)
	}
	for node, left := range map[cacheme.Declaration]bool{pageOf[storedBook]{N: 1}: false, pageOf[storedUser]{N: 1}: true} {
		if got := fresh(t, cache, node); got != left {
			t.Errorf("%T is fresh: %v after the class of books was invalidated, want %v", node, got, left)
		}
	}
}

// fresh reports whether a page is still served.
func fresh(t *testing.T, cache *cachetest.Cache, node cacheme.Declaration) bool {
	t.Helper()
	var err error
	switch n := node.(type) {
	case pageOf[storedBook]:
		_, err = peekAt(cache, n)
	case pageOf[storedUser]:
		_, err = peekAt(cache, n)
	default:
		t.Fatalf("what is a %T?", node)
	}
	if err != nil && !errors.Is(err, cacheme.ErrNoEntry) {
		t.Fatal(err)
	}
	return err == nil
}

func peekAt[N cacheme.NodeOf[V], V any](cache *cachetest.Cache, node N) (cacheme.Result[V], error) {
	b, err := cacheme.Bind(cache.Cache, func(context.Context, N) (v V, err error) { return v, errors.New("peek loads") })
	if err != nil {
		return cacheme.Result[V]{}, err
	}
	return b.Peek(context.Background(), node)
}

// Title has the name of a node of another package, which is a class of its own all the same.
type Title struct {
	cacheme.Node[string]
	Book int64 `cacheme:"field"`
}

func (Title) Meta() cacheme.Meta { return cacheme.Meta{Key: "our:title:<book>"} }

func TestTypesOfOneNameInTwoPackagesStayApart(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, Title{}, scenarios.Title{}, scenarios.BookChanged{})
	ctx := context.Background()
	ours := func(context.Context, Title) (string, error) { return "ours", nil }
	theirs := func(context.Context, scenarios.Title) (string, error) { return "theirs", nil }
	get := func() {
		t.Helper()
		if v, err := cacheme.GetFrom(ctx, cache.Cache, Title{Book: 1}, ours); v != "ours" || err != nil {
			t.Errorf("GetFrom = %v, %v", v, err)
		}
		if v, err := cacheme.GetFrom(ctx, cache.Cache, scenarios.Title{Book: 1}, theirs); v != "theirs" || err != nil {
			t.Errorf("GetFrom = %v, %v", v, err)
		}
	}
	get()
	get()
	if err := cache.Invalidate(ctx, cacheme.Class[Title]()); err != nil {
		t.Fatal(err)
	}
	get()
	if o, th := cache.LoadsOf(Title{Book: 1}), cache.LoadsOf(scenarios.Title{Book: 1}); o != 2 || th != 1 {
		t.Errorf("%d loads of ours, %d of theirs after our class was invalidated, want 2 and 1", o, th)
	}
}

func TestRegisterWhileOthersGet(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	ctx := context.Background()
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			for n := int64(0); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := n%8 + int64(i)
				v, err := cacheme.GetFrom(ctx, cache.Cache, goodNode{ID: id}, func(context.Context, goodNode) (int64, error) { return id, nil })
				if v != id || err != nil {
					t.Errorf("GetFrom = %d, %v, want %d", v, err, id)
					return
				}
				cache.Nodes()
			}
		})
	}
	for _, d := range []cacheme.Declaration{pageOf[storedBook]{}, pageOf[storedUser]{}, Title{}, goodNode{}, badBase{}} {
		writers.Go(func() {
			for range 20 {
				if err := cache.Register(d); err != nil {
					t.Errorf("Register(%T) = %v", d, err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if n := len(cache.Nodes()); n != 5 {
		t.Errorf("%d nodes are registered, want 5", n)
	}
}
