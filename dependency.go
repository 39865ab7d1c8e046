package cacheme

import "github.com/cacheme/cacheme/internal/keytmpl"

// kind separates the dependencies: the row book:100 and the main key book:100 are two things.
type kind string

const (
	rowKind   kind = "row"   // a row, or a side or pair of an m2m, by key
	sideKind  kind = "side"  // a side of an m2m as named by hand: also the pairs on it depend on it
	tableKind kind = "table" // a table as a whole
	classKind kind = "class" // all entries of a node type
	mainKind  kind = "main"  // all parts of a main key
	tagKind   kind = "tag"   // an invalid node without a model
)

// dependencies collects the names, <kind>:<key>, of what an entry depends on or a write makes wrong, each once.
type dependencies []string

func (d *dependencies) add(k kind, key string) {
	d.addName(string(k) + ":" + key)
}

func (d *dependencies) addName(name string) {
	for _, known := range *d {
		if known == name {
			return
		}
	}
	*d = append(*d, name)
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
