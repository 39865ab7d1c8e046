package main

import (
	"fmt"
	"slices"
	"strings"
)

// better says in words who is ahead of cacheme, of its first row, in a column where less is better: a table is quickly
// read past. What is the same as it is written is the same.
func better(t table, column int, where string) []string {
	first := slices.IndexFunc(t.Rows, func(r row) bool { return isOurs(r.Name) })
	if first < 0 {
		return nil
	}
	mine, ok := t.figure(t.Rows[first].Name, column)
	if !ok {
		return nil
	}
	figure := t.format(column, mine)
	var ahead []string
	for _, r := range t.Rows {
		v, ok := t.figure(r.Name, column)
		if ok && v < mine && !isOurs(r.Name) && t.format(column, v) != figure {
			ahead = append(ahead, fmt.Sprintf("%s (%s)", r.Name, t.format(column, v)))
		}
	}
	if len(ahead) == 0 {
		return []string{fmt.Sprintf("%s nobody is ahead of %s (%s).", where, t.Rows[first].Name, figure)}
	}
	return []string{fmt.Sprintf("%s these are **ahead of %s** (%s): %s.", where, t.Rows[first].Name, figure, strings.Join(ahead, ", "))}
}

// figure is one value by its row's name.
func (t table) figure(name string, column int) (float64, bool) {
	for _, r := range t.Rows {
		if r.Name == name && column < len(r.Cells) && r.Cells[column].Value != nil {
			return *r.Cells[column].Value, true
		}
	}
	return 0, false
}

// format writes a value as its column has it.
func (t table) format(column int, v float64) string {
	return fmt.Sprintf("%.*f", t.Columns[column].Digits, v)
}
