package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
)

// table is rows for a person, in columns that are as wide as they have to be.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, head ...any) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

// row adds one. Cells are cut to what can be printed: a key may hold anything.
func (t table) row(cells ...any) {
	text := make([]string, len(cells))
	for i, c := range cells {
		text[i] = printable(fmt.Sprint(c))
	}
	_, _ = fmt.Fprintln(t.w, strings.TrimRight(strings.Join(text, "\t"), "\t"))
}

// flush prints what was added. Rows that come later have columns of their own width.
func (t table) flush() error { return t.w.Flush() }

// printable shows what a terminal would obey as what it is: a key, a name or an error may come from anybody.
func printable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// dash stands for what there is none of.
const dash = "-"

// listed is a list in one cell.
func listed(all []string) string { return or(strings.Join(all, ", "), dash) }

// short is a duration in a cell: 10m, 1h30m, 12s, 250ms. Zero is a dash.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return dash
	case d.Abs() >= time.Minute:
		d = d.Round(time.Second)
	case d.Abs() >= time.Second:
		d = d.Round(100 * time.Millisecond)
	case d.Abs() >= time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	}
	text := d.String()
	if cut, ok := strings.CutSuffix(text, "m0s"); ok {
		text = cut + "m"
	}
	if cut, ok := strings.CutSuffix(text, "h0m"); ok {
		text = cut + "h"
	}
	return text
}

func size[N int | int64](bytes N) string { return humanize.IBytes(uint64(max(0, bytes))) }

// sizeOrDash has a dash for what is not known, or not limited.
func sizeOrDash(bytes int64) string {
	if bytes == 0 {
		return dash
	}
	return size(bytes)
}

func count[N int | int64 | uint64](n N) string { return humanize.Comma(int64(n)) }

// share is a part of a whole in percent.
func share(part, whole uint64) string {
	if whole == 0 {
		return dash
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}

// document prints one JSON value, for a command that has one answer.
func (p *program) document(v any) error {
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// line prints one JSON value on a line of its own, for a command whose answers come one after the other.
func (p *program) line(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
