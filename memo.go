package cacheme

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

// Memoized says how Memo caches a plain function of A that gives a V.
type Memoized[A, V any] struct {
	// Meta is that of a node: Key is required, Field, TTL, Stale and the others are as there.
	Meta Meta
	// Values fills the holes of Meta.Key, in their order: integers, strings, bools, times, UUIDs and
	// encoding.TextMarshalers, or pointers to them. Required where the key has holes. A hole takes values of one type: 7 and
	// "7" make the same key.
	Values func(A) []any
	// InvalidNodes are what makes an entry wrong; Tag("user:200") is an invalid node that needs no type.
	InvalidNodes func(A) []Invalid
	// ResultInvalidNodes are what in the result makes it wrong.
	ResultInvalidNodes func(A, V) []Invalid
	// InvalidModels are bun models, as nil pointers such as (*Book)(nil), whose rows name themselves what they make wrong:
	// each has a method CacheKey() string, CacheKeys() []string, or both. Writing a row, seen as it was and as it is, makes
	// Tag(key) wrong for each of its keys, so that InvalidNodes has to name the tags that an entry depends on; a write
	// whose rows are not known makes all entries wrong, as Invalidate of the model's Table does. Whoever watches the
	// database finds the models in Cache.Watched.
	InvalidModels []any
	// Tags are given to all entries; Invalidate(ctx, Tag(name)) makes those of one tag wrong.
	Tags []string
	// Examples are arguments for which Cache.Graph asks what makes an entry wrong, in place of made-up ones: for an A of which not
	// every value is one that can be asked for.
	Examples []A
	// Skip: true means call the function and do not cache.
	Skip func(context.Context, A) bool
	// Hit and Miss are told as those of a node.
	Hit  func(ctx context.Context, key string, args A, result V)
	Miss func(ctx context.Context, key string, args A)
}

// Memo caches the results of f in c: the Get of what it returns is a function like f. It is a node made on the fly, and
// its mistakes are those of a declaration: a *DeclarationError names Meta.Key in place of a type.
func Memo[A, V any](c *Cache, m Memoized[A, V], f func(context.Context, A) (V, error)) (*Bound[A, V], error) {
	name := fmt.Sprintf("Memo(%q)", m.Meta.Key)
	switch {
	case c == nil:
		return nil, &UsageError{Node: name, Reason: "has a nil cache; give it what cacheme.New returned"}
	case f == nil:
		return nil, &UsageError{Node: name, Reason: "has a nil function; give it the function to memoise"}
	}
	plan := &nodePlan{typ: reflect.TypeFor[A](), class: name}
	m.fill(plan)
	err := c.register(func(next *plans) []error {
		k := compiler{options: &c.options, name: name, typ: plan.typ}
		fields := holes(m.Meta.Key)
		k.plan(plan, Node[V]{}, m.Meta, fields)
		k.invalidModels(plan, m.InvalidModels)
		if m.Values == nil && len(fields) > 0 {
			k.wrong("Values", fmt.Sprintf("is nil, and the key has %d holes; write a func that returns what fills them", len(fields)))
		}
		if k.problems == nil {
			next.memos = append(next.memos, plan)
		}
		return k.problems
	})
	if err != nil {
		return nil, err
	}
	return &Bound[A, V]{c: c, plan: plan, load: f}, nil
}

// MustMemo is Memo for declarations that are known to be right: it panics with what Memo would return.
func MustMemo[A, V any](c *Cache, m Memoized[A, V], f func(context.Context, A) (V, error)) *Bound[A, V] {
	memo, err := Memo(c, m, f)
	if err != nil {
		panic(err)
	}
	return memo
}

// holes are the fields that a memo's template asks for; the compiler tells what is wrong with the template.
func holes(key string) (fields []fieldPlan) {
	t, err := keytmpl.Parse(key)
	if err != nil {
		return nil
	}
	for _, name := range t.Holes() {
		fields = append(fields, fieldPlan{goName: "Values", name: name})
	}
	return fields
}

// fill gives the plan what m does in place of a node's methods.
func (m Memoized[A, V]) fill(p *nodePlan) {
	p.appendMain = func(dst []byte, node any) ([]byte, error) {
		var values []any
		if m.Values != nil {
			args, _ := node.(A)
			values = m.Values(args)
		}
		if n := len(p.key.fields); len(values) != n {
			return nil, &UsageError{Node: p.name, Field: "Values", Reason: fmt.Sprintf("returned %d values for %d holes", len(values), n)}
		}
		return p.render(dst, func(dst []byte, i int) ([]byte, error) { return appendAny(dst, values[i]) })
	}
	tags := make([]Invalid, len(m.Tags))
	for i, tag := range m.Tags {
		tags[i] = Tag(tag)
	}
	p.invalidNodes = func(node any) []Invalid {
		if m.InvalidNodes == nil {
			return tags
		}
		args, _ := node.(A)
		return slices.Concat(tags, m.InvalidNodes(args))
	}
	if m.ResultInvalidNodes != nil {
		p.resultInvalidNodes = func(node, value any) []Invalid {
			args, _ := node.(A)
			v, _ := value.(V)
			return m.ResultInvalidNodes(args, v)
		}
	}
	for _, example := range m.Examples {
		p.examples = append(p.examples, example)
	}
	if m.Skip != nil {
		p.skip = func(ctx context.Context, node any) bool {
			args, _ := node.(A)
			return m.Skip(ctx, args)
		}
	}
	if m.Hit != nil {
		p.hit = func(ctx context.Context, node any, key string, value any) {
			args, _ := node.(A)
			v, _ := value.(V)
			m.Hit(ctx, key, args, v)
		}
	}
	if m.Miss != nil {
		p.miss = func(ctx context.Context, node any, key string) {
			args, _ := node.(A)
			m.Miss(ctx, key, args)
		}
	}
}

// appendAny renders a value whose type is known only now.
func appendAny(dst []byte, value any) ([]byte, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return keytmpl.AppendNil(dst), nil
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return keytmpl.AppendNil(dst), nil
		}
		return appendAny(dst, v.Elem().Interface())
	}
	if r := rendererOf(v.Type()); r != nil {
		return r(dst, v)
	}
	return nil, fmt.Errorf("type %v cannot be part of a key", v.Type())
}
