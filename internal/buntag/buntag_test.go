package buntag_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/cacheme/cacheme/internal/buntag"
)

func TestParse_agrees_with_bun(t *testing.T) {
	t.Parallel()
	types := []reflect.Type{
		reflect.TypeFor[Book](), reflect.TypeFor[*Book](), reflect.TypeFor[BookChapter](),
		reflect.TypeFor[Person](), reflect.TypeFor[Child](), reflect.TypeFor[Category](),
		reflect.TypeFor[Bus](), reflect.TypeFor[News](), reflect.TypeFor[Status](),
		reflect.TypeFor[Mouse](), reflect.TypeFor[Books](), reflect.TypeFor[HTTPLog](),
		reflect.TypeFor[UserID](), reflect.TypeFor[PlanB](), reflect.TypeFor[OAuth2Token](),
		reflect.TypeFor[Snake_Case](), reflect.TypeFor[ÄrgerLog](), reflect.TypeFor[lowercase](),
		reflect.TypeFor[Empty](), reflect.TypeFor[ColumnNames](),

		reflect.TypeFor[Named](), reflect.TypeFor[NamedShort](), reflect.TypeFor[NamedTwice](),
		reflect.TypeFor[InSchema](), reflect.TypeFor[InSchemaShort](), reflect.TypeFor[ThreeParts](),
		reflect.TypeFor[SelectsView](), reflect.TypeFor[OnlyAlias](), reflect.TypeFor[IgnoredBase](),
		reflect.TypeFor[PointerBase](),

		reflect.TypeFor[KeyByName](), reflect.TypeFor[KeyById](), reflect.TypeFor[KeyByUUID](),
		reflect.TypeFor[KeyByModel](), reflect.TypeFor[KeyComposite](), reflect.TypeFor[KeyAutoinc](),
		reflect.TypeFor[KeyUUIDTagged](), reflect.TypeFor[KeySeveral](),
		reflect.TypeFor[KeyAutoincrement](), reflect.TypeFor[KeyScanOnly](),

		reflect.TypeFor[Optioned](),

		reflect.TypeFor[WithBase](), reflect.TypeFor[WithBasePtr](), reflect.TypeFor[WithAmbiguous](),
		reflect.TypeFor[WithOneTagged](), reflect.TypeFor[Overriding](), reflect.TypeFor[WithHidden](),
		reflect.TypeFor[IgnoredEmbed](), reflect.TypeFor[EmbedsScalar](), reflect.TypeFor[Deep](),
		reflect.TypeFor[Address](), reflect.TypeFor[Customer](), reflect.TypeFor[PrefixedKey](),
		reflect.TypeFor[Inherits](), reflect.TypeFor[InheritsToo](), reflect.TypeFor[InheritIsNoName](),
		reflect.TypeFor[InheritsRenamed](), reflect.TypeFor[EmbedsSelf](),
		reflect.TypeFor[EmbedsSelfAnonymously](), reflect.TypeFor[CycleA](), reflect.TypeFor[CycleB](),

		reflect.TypeFor[SoftDeleted](), reflect.TypeFor[SoftDeletedPtr](),
		reflect.TypeFor[SoftDeletedNot](), reflect.TypeFor[SoftDeletedByBase](),

		reflect.TypeFor[Author](), reflect.TypeFor[Novel](), reflect.TypeFor[Blurb](),
		reflect.TypeFor[SharesKey](), reflect.TypeFor[Edition](), reflect.TypeFor[Copy](),
		reflect.TypeFor[Employee](), reflect.TypeFor[Chicken](), reflect.TypeFor[Egg](),
		reflect.TypeFor[User](), reflect.TypeFor[UserBook](), reflect.TypeFor[Follow](),
		reflect.TypeFor[Ticket](), reflect.TypeFor[TicketPtr](), reflect.TypeFor[PrefixedRelation](),
		reflect.TypeFor[BelongsToBase](), reflect.TypeFor[RelationTaggedPK](), reflect.TypeFor[Account](),

		reflect.TypeFor[Box[int]](), reflect.TypeFor[Box[Address]](), reflect.TypeFor[Box[[]string]](),
		reflect.TypeFor[Versioned[string, Geo]](), reflect.TypeFor[Ref[Author]](),
	}
	for i, typ := range types {
		t.Run(fmt.Sprintf("%d_%s", i, typ), func(t *testing.T) {
			t.Parallel()
			want, err := bunShape(typ, (*UserBook)(nil), (*Follow)(nil))
			if err != nil {
				t.Fatalf("bun refuses %s: %v", typ, err)
			}
			m, err := buntag.Parse(typ)
			if err != nil {
				t.Fatalf("Parse(%s) = %v", typ, err)
			}
			if d := diff(want, shapeOf(m, want)); d != "" {
				t.Errorf("Parse(%s) differs from bun (-bun +Parse):\n%s", typ, d)
			}
		})
	}
}
