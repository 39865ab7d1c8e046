package main

import (
	"fmt"
	"io"
	"os"
)

// page is where the example writes: plain text, with colour and a moving line only on a terminal.
type page struct {
	w        io.Writer
	terminal bool
}

func newPage(w io.Writer) *page {
	f, ok := w.(*os.File)
	if !ok {
		return &page{w: w}
	}
	info, err := f.Stat()
	return &page{w: w, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""}
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *page) titlef(format string, args ...any) {
	p.linef("\n%s", p.paint(bold, fmt.Sprintf(format, args...)))
}

// Colours, as terminals number them.
const (
	bold   = 1
	red    = 31
	green  = 32
	yellow = 33
)

func (p *page) paint(colour int, text string) string {
	if !p.terminal {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

// progress returns what to call with how much of total is done: one line that moves on a terminal, else one line at
// the end.
func (p *page) progress(what string, total int) func(done int) {
	return func(done int) {
		if p.terminal {
			fmt.Fprintf(p.w, "\r%-26s %6d of %d", what, done, total)
			if done == total {
				p.linef("")
			}
			return
		}
		if done == total {
			p.linef("%-26s %6d", what, total)
		}
	}
}
