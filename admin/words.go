package admin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// grouped writes a whole number with its thousands apart: 1 234 567, by narrow blanks that do not break.
func grouped(n any) string {
	digits := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// many writes a number of things: "1 node", "12 nodes".
func many(n any, one, several string) string {
	text := grouped(n)
	if text == "1" {
		return text + " " + one
	}
	return text + " " + several
}

// sized writes a number of bytes with a unit.
func sized[N int | int64](n N) string {
	if n < 1024 {
		return strconv.FormatInt(int64(n), 10) + " B"
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v /= 1024; v < 1024 {
			break
		}
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
}

// spoken writes a duration to two units at most: 3 d 4 h, 12 min, 1.5 s, 20 ms.
func spoken(d time.Duration) string {
	if d < 0 {
		return "−" + spoken(-d)
	}
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		if u.name == "s" {
			return strconv.FormatFloat(d.Seconds(), 'f', max(0, 2-len(strconv.Itoa(int(d.Seconds())))), 64) + " s"
		}
		text := fmt.Sprintf("%d %s", d/u.size, u.name)
		if rest := d % u.size / units[i+1].size; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
		}
		return text
	}
	switch {
	case d == 0:
		return "0"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// percent writes a share of a whole; of nothing there is none.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	share := 100 * float64(part) / float64(whole)
	text := strconv.FormatFloat(share, 'f', 1, 64)
	if part < whole && text == "100.0" {
		text = "99.9" // what is not all shall not look like all
	}
	return text + " %"
}

// dict makes a map of names and values, for a template that gives several to another.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict takes names and values")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict's names are texts")
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
