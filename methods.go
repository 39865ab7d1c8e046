package cacheme

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cacheme/cacheme/internal/buntag"
)

// optionalMethods finds the methods that a node may have. One that would silently not be found, for its receiver or
// its signature, is an error.
func (c *compiler) optionalMethods(p *nodePlan, value reflect.Type) {
	var (
		ctx      = reflect.TypeFor[context.Context]()
		invalids = reflect.TypeFor[[]Invalid]()
		text     = reflect.TypeFor[string]()
		yes      = reflect.TypeFor[bool]()
	)
	if c.method("InvalidNodes", nil, []reflect.Type{invalids}).IsValid() {
		p.invalidNodes = func(node any) []Invalid {
			return node.(interface{ InvalidNodes() []Invalid }).InvalidNodes()
		}
	}
	if c.method("Skip", []reflect.Type{ctx}, []reflect.Type{yes}).IsValid() {
		p.skip = func(ctx context.Context, node any) bool {
			return node.(interface{ Skip(context.Context) bool }).Skip(ctx)
		}
	}
	if c.method("Miss", []reflect.Type{ctx, text}, nil).IsValid() {
		p.miss = func(ctx context.Context, node any, key string) {
			node.(interface{ Miss(context.Context, string) }).Miss(ctx, key)
		}
	}
	// These two name the cached type, which no interface can: they are called by reflection.
	if m := c.method("ResultInvalidNodes", []reflect.Type{value}, []reflect.Type{invalids}); m.IsValid() {
		p.resultInvalidNodes = func(node, v any) []Invalid {
			out := m.Call([]reflect.Value{reflect.ValueOf(node), valueOf(value, v)})
			nodes, _ := reflect.TypeAssert[[]Invalid](out[0])
			return nodes
		}
	}
	if m := c.method("Hit", []reflect.Type{ctx, text, value}, nil); m.IsValid() {
		p.hit = func(ctx context.Context, node any, key string, v any) {
			m.Call([]reflect.Value{reflect.ValueOf(node), reflect.ValueOf(ctx), reflect.ValueOf(key), valueOf(value, v)})
		}
	}
}

// method returns the method if the node has it as it has to be.
func (c *compiler) method(name string, in, out []reflect.Type) reflect.Value {
	m, ok := c.typ.MethodByName(name)
	if !ok {
		if _, onPointer := reflect.PointerTo(c.typ).MethodByName(name); onPointer {
			c.wrong(name, fmt.Sprintf("has a pointer receiver and would not be found; write func (n %s) %s", c.typ.Name(), name))
		}
		return reflect.Value{}
	}
	want := reflect.FuncOf(append([]reflect.Type{c.typ}, in...), out, false)
	if m.Type != want {
		c.wrong(name, fmt.Sprintf("is %v and would not be found; write %s%s", withoutReceiver(m.Type), name,
			strings.TrimPrefix(withoutReceiver(want).String(), "func")))
		return reflect.Value{}
	}
	return m.Func
}

// invalidModels takes over the models whose rows name the keys that they make wrong.
func (c *compiler) invalidModels(p *nodePlan, models []any) {
	const field = "InvalidModels"
	for _, model := range models {
		m := c.model(field, model)
		if m == nil || slices.ContainsFunc(p.models, func(known *buntag.Model) bool { return known.Type == m.Type }) {
			continue
		}
		// A pointer to a row has the methods of both receivers.
		one := c.keyMethod(field, reflect.TypeOf(model), "CacheKey", reflect.TypeFor[func() string]())
		many := c.keyMethod(field, reflect.TypeOf(model), "CacheKeys", reflect.TypeFor[func() []string]())
		if !one && !many {
			c.wrong(field, fmt.Sprintf("names %v, whose rows do not say what they make wrong; write func (m *%s) CacheKey() string, or CacheKeys() []string, or bind it by an invalid node", reflect.TypeOf(model), m.Type.Name()))
		}
		p.models = append(p.models, m)
	}
}

// keyMethod reports whether the model has the method, which has to be as it would be called.
func (c *compiler) keyMethod(field string, model reflect.Type, name string, want reflect.Type) bool {
	m, ok := model.MethodByName(name)
	if ok && withoutReceiver(m.Type) != want {
		c.wrong(field, fmt.Sprintf("names %v, whose %s is %v and would not be found; write %s%s", model, name, withoutReceiver(m.Type), name, strings.TrimPrefix(want.String(), "func")))
	}
	return ok
}

func withoutReceiver(f reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := 1; i < f.NumIn(); i++ {
		in = append(in, f.In(i))
	}
	for t := range f.Outs() {
		out = append(out, t)
	}
	return reflect.FuncOf(in, out, f.IsVariadic())
}

// valueOf makes an argument of a cached value, which may be a nil pointer.
func valueOf(t reflect.Type, v any) reflect.Value {
	if v == nil {
		return reflect.Zero(t)
	}
	return reflect.ValueOf(v)
}
