package cacheme

import (
	"bytes"
	"sync"

	"github.com/cacheme/cacheme/internal/keytmpl"
	"github.com/cacheme/cacheme/internal/store"
)

// kind separates the dependencies: the row book:100 and the main key book:100 are two things.
type kind string

const (
	rowKind   kind = "row"   // a row, or a side or pair of an m2m, by key
	sideKind  kind = "side"  // a side of an m2m as named by hand: also the pairs on it depend on it
	tableKind kind = "table" // a table as a whole: what depends on any of its rows depends on it
	rowsKind  kind = "rows"  // any row of a table: what depends on the table as a whole depends on it
	classKind kind = "class" // all entries of a node type
	mainKind  kind = "main"  // all parts of a main key
	// columnsKind is a row by the columns that a Columns names.
	columnsKind kind = "columns"
	tagKind     kind = "tag" // an invalid node without a model
)

// kinds are all of them.
var kinds = [...]kind{rowKind, sideKind, tableKind, rowsKind, classKind, mainKind, columnsKind, havingKind, tagKind}

// dependencies collects what an entry depends on, or a write makes wrong, each once. They are rendered into one buffer,
// as Redis keys of tokens: <prefix><kind>:<key>:invalid.
type dependencies struct {
	store *store.Store
	buf   []byte
	head  int // where the first begins
	ends  []int
	known map[string]bool // once there are many
}

// buffers are reused: what a request needs of them is copied into one string.
var buffers = sync.Pool{New: func() any {
	return &dependencies{buf: make([]byte, 0, 1024), ends: make([]int, 0, manyDependencies)}
}}

// manyDependencies is from when on a map is faster than a look at each.
const manyDependencies = 32

func (c *Cache) dependencies() *dependencies {
	d, _ := buffers.Get().(*dependencies)
	*d = dependencies{store: c.store, buf: d.buf[:0], ends: d.ends[:0]}
	return d
}

func (d *dependencies) free() { buffers.Put(d) }

func (d *dependencies) add(k kind, key string) {
	d.begin(k)
	d.buf = append(d.buf, key...)
	d.end()
}

// begin starts a dependency; what is appended to buf until end is its key.
func (d *dependencies) begin(k kind) {
	d.buf = append(append(d.store.AppendTokenPrefix(d.buf), k...), ':')
}

// end finishes the dependency, and takes it back if it is there already.
func (d *dependencies) end() {
	d.buf = store.AppendTokenSuffix(d.buf)
	from := d.from(len(d.ends))
	if d.has(d.buf[from:]) {
		d.buf = d.buf[:from]
		return
	}
	d.ends = append(d.ends, len(d.buf))
}

// dropUnfinished takes back a dependency that was begun and whose key could not be rendered.
func (d *dependencies) dropUnfinished() { d.buf = d.buf[:d.from(len(d.ends))] }

func (d *dependencies) from(i int) int {
	if i == 0 {
		return d.head
	}
	return d.ends[i-1]
}

func (d *dependencies) has(key []byte) bool {
	if d.known == nil {
		if len(d.ends) < manyDependencies {
			for i, end := range d.ends {
				if bytes.Equal(d.buf[d.from(i):end], key) {
					return true
				}
			}
			return false
		}
		d.known = map[string]bool{}
		for i, end := range d.ends {
			d.known[string(d.buf[d.from(i):end])] = true
		}
	}
	if d.known[string(key)] {
		return true
	}
	d.known[string(key)] = true
	return false
}

// appendKeys adds the Redis keys, as parts of all, which is the buffer as a string.
func (d *dependencies) appendKeys(keys []string, all string) []string {
	for i, end := range d.ends {
		keys = append(keys, all[d.from(i):end])
	}
	return keys
}

// keys returns the Redis keys and gives the buffer back.
func (d *dependencies) keys() []string {
	defer d.free()
	return d.appendKeys(make([]string, 0, len(d.ends)), string(d.buf))
}

// render fills a template with the fields of a declaration.
func render(dst []byte, literals []string, n int, field func(dst []byte, i int) ([]byte, error)) ([]byte, error) {
	dst = append(dst, literals[0]...)
	for i := range n {
		var err error
		if dst, err = field(dst, i); err != nil {
			return nil, err
		}
		dst = append(dst, literals[i+1]...)
	}
	return dst, nil
}

// template is a compiled key with the fields that fill its holes, in their order.
type template struct {
	*keytmpl.Template
	literals []string
	fields   []fieldPlan
}

func newTemplate(t *keytmpl.Template, fields []fieldPlan) template {
	return template{Template: t, literals: t.Literals(), fields: fields}
}
