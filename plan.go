package cacheme

import (
	"context"
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/buntag"
	"github.com/cacheme/cacheme/internal/codec"
)

// nodePlan is what a node was compiled to.
type nodePlan struct {
	typ         reflect.Type
	name        string
	meta        Meta
	key         template
	field       string
	class       string // key of the class dependency
	policy      policy
	codec       Codec
	fingerprint uint64
	compress    int // values of at least so many bytes; 0: none
	maxValue    int
	carrier     carrier
	counters    counters
	seen        seenNames
	models      []*buntag.Model // of Memoized.InvalidModels
	examples    []any           // of Memoized.Examples
	observe     Switch          // On, Off or Auto
	known       known
	near        nearness
	published   *publishedNode // of Attach: what the program that has the node says of it
	keyed       bool           // its key tells its fields, as that of a Memo does not

	// What the node's methods, or a Memo's funcs, do. Nil where there is none; appendMain is never nil.
	appendMain         func(dst []byte, node any) ([]byte, error)
	invalidNodes       func(node any) []Invalid
	resultInvalidNodes func(node, value any) []Invalid
	skip               func(ctx context.Context, node any) bool
	hit                func(ctx context.Context, node any, key string, value any)
	miss               func(ctx context.Context, node any, key string)
}

// policy is how long an entry may be served, and what may stand in for it.
type policy struct {
	ttl          time.Duration
	stale        time.Duration
	staleIfError time.Duration
	negative     time.Duration
	refresh      float64 // share of an entry's life; 0: none
}

// life is how long an entry is of any use to Redis, from the load's start.
func (p policy) life() time.Duration { return p.ttl + max(p.stale, p.staleIfError) }

func (c *compiler) node(n carrier) *nodePlan {
	p := &nodePlan{typ: c.typ, class: className(c.typ), keyed: true}
	fields := parseFields(c.typ, false, c.wrong)
	c.optionalMethods(p, n.valueType())
	c.plan(p, n, n.(Declaration).Meta(), fields)
	p.appendMain = p.appendFields
	return p
}

// appendFields renders the main key of a node from its fields.
func (p *nodePlan) appendFields(dst []byte, node any) ([]byte, error) {
	v := reflect.ValueOf(node)
	return p.render(dst, func(dst []byte, i int) ([]byte, error) { return p.key.fields[i].append(dst, v) })
}

// plan works out what Meta says. It serves nodes and memos.
func (c *compiler) plan(p *nodePlan, n carrier, meta Meta, fields []fieldPlan) {
	value := n.valueType()
	p.name, p.meta, p.field, p.carrier = c.name, meta, meta.Field, n
	if meta.Key == "" {
		c.wrong("Meta", "has no Key; write a template such as \"user:<user>:shelf\"")
	} else {
		p.key = c.template(meta.Key, fields)
	}
	if strings.ContainsFunc(meta.Field, func(r rune) bool { return !strings.ContainsRune(fieldAlphabet, r) }) {
		c.wrong("Field", fmt.Sprintf("%q may hold only letters, digits, '_', '-' and '.'; write a name such as \"owner\"", meta.Field))
	}
	if meta.Model != nil || meta.M2M {
		c.wrong("Model", "belongs to invalid nodes; declare one that embeds cacheme.ModelInvalidNode and return it from InvalidNodes")
	}
	c.lifetime("TTL", meta.TTL)
	c.lifetime("Negative", meta.Negative)
	c.lifetime("Stale", max(0, meta.Stale))
	c.lifetime("StaleIfError", max(0, meta.StaleIfError))
	c.refresh(meta.Refresh)
	if meta.MaxValue < 0 || meta.MaxValue > maxRawValue {
		c.wrong("MaxValue", fmt.Sprintf("is %d; write a size in bytes, at most %d (8 MiB), or leave it out for the option's", meta.MaxValue, maxRawValue))
	}

	o := c.options
	p.policy = policy{
		ttl:          orDefault(meta.TTL, o.TTL),
		stale:        max(0, orDefault(meta.Stale, o.Stale)),
		staleIfError: max(0, orDefault(meta.StaleIfError, o.StaleIfError)),
		negative:     meta.Negative,
		refresh:      meta.Refresh,
	}
	p.maxValue = orDefault(meta.MaxValue, o.MaxValue)
	if meta.Compress.or(o.Compress) {
		p.compress = o.CompressOver
	}
	p.codec = meta.Codec
	if p.codec == nil {
		p.codec = o.Codec
	}
	if _, own := p.codec.(cborCodec); own {
		for _, problem := range codec.Check(value) {
			c.wrong("", fmt.Sprintf("caches %v, which would not come back as it was: %v", value, problem))
		}
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%d|%s|%s>%s|%t", codec.Fingerprint(value), meta.Version, p.codec.Name(), meta.Key, meta.Field, p.resultInvalidNodes != nil)
	p.observe = meta.Observe
	switch {
	case meta.Observe == Auto:
		h.Write([]byte("|auto")) // an entry from before depends on too little
	case meta.Observe.or(o.Observe != Off):
		p.observe = On
	default:
		p.observe = Off
	}
	c.noAuto("Compress", meta.Compress)
	c.noAuto("Verify", meta.Verify)
	c.noAuto("Near", meta.Near)
	p.fingerprint = h.Sum64()
	p.near = nearnessOf(meta.Near.or(false) && !o.Near.Off, p.typ)
}

func (c *compiler) noAuto(field string, s Switch) {
	if s == Auto {
		c.wrong(field, "is Auto, which is for Observe; write On or Off")
	}
}

// render fills the node's template.
func (p *nodePlan) render(dst []byte, field func(dst []byte, i int) ([]byte, error)) ([]byte, error) {
	b, err := render(dst, p.key.literals, len(p.key.literals)-1, field)
	if err != nil {
		return nil, &UsageError{Node: p.name, Reason: "has a field value that does not become text: " + err.Error()}
	}
	return b, nil
}

// mainKey renders the node's key without the field part.
func (p *nodePlan) mainKey(node any) (string, error) {
	b, err := p.appendMain(nil, node)
	return string(b), err
}

const fieldAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

// longestLife bounds every time that an entry may live or stand in: ten years.
const longestLife = 10 * 365 * 24 * time.Hour

func (c *compiler) lifetime(field string, d time.Duration) {
	switch {
	case d < 0:
		c.wrong(field, fmt.Sprintf("is negative: %v; leave it out for the default", d))
	case d > 0 && d < time.Millisecond:
		c.wrong(field, fmt.Sprintf("is %v, less than a millisecond; write a unit, such as 60 * time.Second", d))
	case d > longestLife:
		c.wrong(field, fmt.Sprintf("is %v, more than ten years; write the time that you mean", d))
	}
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
