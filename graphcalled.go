package cacheme

import (
	"fmt"
	"strings"

	"github.com/cacheme/cacheme/internal/buntag"
)

// How what makes nodes wrong is called, by Graph and Impact alike, where it is no invalid node that has a type of its own.

func calledTag(tag string) string { return fmt.Sprintf("Tag(%q)", tag) }

func calledWhole(table string) string { return "any row of " + table }

func calledBy(table string, columns []string) string {
	return table + " by " + strings.Join(columns, ", ")
}

func calledMain(p *nodePlan) string { return "main key of " + p.name }

func calledKeys(m *buntag.Model) string { return fmt.Sprintf("keys of %v", m.Type) }

// calledClass is for the key of a class, which has the whole path of the type's package.
func (p *plans) calledClass(class string) string {
	for _, n := range p.all() {
		if n.class == class {
			return "class of " + n.name
		}
	}
	return "class of " + class
}

// calledHaving leaves out the values, which may be somebody's id.
func calledHaving(key string) string { return calledBy(splitHaving(key)) }

// splitHaving takes books:author_id=5 apart, without the values.
func splitHaving(key string) (table string, columns []string) {
	table, conditions, _ := strings.Cut(key, ":")
	for condition := range strings.SplitSeq(conditions, ",") {
		column, _, _ := strings.Cut(condition, "=")
		columns = append(columns, column)
	}
	return table, columns
}
