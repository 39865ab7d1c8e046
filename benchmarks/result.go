package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// result is what one workload found, as it is kept in benchmarks/results.
type result struct {
	Workload   string     `json:"workload"`
	Conditions conditions `json:"conditions"`
	Tables     []table    `json:"tables"`
}

// table is one comparison: a row a peer.
type table struct {
	Title   string   `json:"title,omitempty"`
	Columns []column `json:"columns"`
	Rows    []row    `json:"rows"`
	Plots   []plot   `json:"plots,omitempty"`
	Words   []string `json:"words,omitempty"` // what has to be said of it
}

// column is one measure.
type column struct {
	Name   string `json:"name"`
	Digits int    `json:"digits"` // behind the point
}

// row is one peer's.
type row struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"` // the tier, or how it goes about it
	Cells []cell `json:"cells"`
}

// cell is one figure with the rounds that it is made of. One that does not apply has no Value.
type cell struct {
	Value *float64  `json:"value,omitempty"`
	Note  string    `json:"note,omitempty"` // in place of a value, or behind it
	Raw   []float64 `json:"raw,omitempty"`
}

func of(value float64, raw ...float64) cell { return cell{Value: &value, Raw: raw} }

// medianOf is a figure over rounds.
func medianOf(rounds []float64) cell { return of(median(rounds), rounds...) }

func none(note string) cell { return cell{Note: note} }

// plot is how a table is drawn: a bar a row of one column, or a line a series.
type plot struct {
	Name   string    `json:"name"` // of the file, without its ending
	Title  string    `json:"title,omitempty"`
	Column int       `json:"column,omitempty"` // of the bars
	X      []string  `json:"x,omitempty"`      // names of the points of lines; bars have none
	At     []float64 `json:"at,omitempty"`     // where they lie; nil: evenly
	Lines  []line    `json:"lines,omitempty"`
	Log    bool      `json:"log,omitempty"` // the scale
}

// line is one series.
type line struct {
	Name string     `json:"name"`
	Y    []*float64 `json:"y"`
}

// save writes the result where the page finds it, and replaces an earlier one of that workload.
func (r result) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, r.Workload+".json"), append(text, '\n'), 0o644)
}

// readResults returns what earlier runs have found, of each workload the last one, in the workloads' order.
func readResults(dir string) ([]result, error) {
	var results []result
	for _, w := range workloads() {
		text, err := os.ReadFile(filepath.Join(dir, w.name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var r result
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// conditions are those under which a workload ran.
type conditions struct {
	Date     time.Time         `json:"date"`
	Took     string            `json:"took"`
	Rounds   int               `json:"rounds"`
	Note     string            `json:"note,omitempty"`
	OS       string            `json:"os"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Load     string            `json:"load"` // averages when it began and when it ended
	Go       string            `json:"go"`
	Redis    string            `json:"redis"`
	Versions map[string]string `json:"versions"` // of the modules
}
