package cacheme

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"slices"
	"time"
)

// A record is what is kept of the writes that one Invalidate, or one end of a Hold, made wrong: the last few of them,
// and of each what it made wrong, as hashes, so that a dependency finds its own. It is JSON, for whoever looks by hand.
type record struct {
	At      uint64      `json:"at"` // Redis's microseconds
	Process string      `json:"by"`
	Doubt   bool        `json:"doubt,omitempty"`
	Cut     int         `json:"cut,omitempty"` // writes before these that are not kept
	Writes  []oneRecord `json:"writes"`
}

type oneRecord struct {
	Operation string   `json:"op"`
	Table     string   `json:"table,omitempty"`
	Rows      []string `json:"rows,omitempty"`
	Count     int      `json:"n,omitempty"`
	Whole     bool     `json:"whole,omitempty"`
	Caller    string   `json:"line,omitempty"`
	Trace     string   `json:"trace,omitempty"`
	Wrong     string   `json:"wrong,omitempty"` // hashes of the dependencies, see hashes
	More      bool     `json:"more,omitempty"`  // and of others that are not kept
}

// The bounds of a record. With them it takes two kilobytes at most, whatever a transaction did.
const (
	maxRecord = 2048
	maxWrites = 16
	maxRows   = 5
	// maxProcess is of bytes of Write.Process: whoever compares it has to cut it as well.
	maxProcess = 64
	maxHashes  = 96 // of all its writes together
)

// encodeRecord keeps the last writes: of two that made the same thing wrong the later one counts.
func (c *Cache) encodeRecord(writes []toldWrite, at uint64, doubt bool) []byte {
	kept := writes[max(0, len(writes)-maxWrites):]
	r := record{At: at, Process: clipped(c.process, maxProcess, true), Doubt: doubt, Cut: len(writes) - len(kept)}
	for _, w := range kept {
		r.Writes = append(r.Writes, oneRecord{
			Operation: clipped(w.Operation, 24, false), Table: clipped(w.Table, 64, true), Rows: clippedRows(w.Rows), Count: w.Count,
			Whole: w.Whole, Caller: clipped(w.Caller, 96, true), Trace: clipped(w.Trace, 64, false),
		})
		if one := &r.Writes[len(r.Writes)-1]; len(writes) > 1 {
			one.Wrong, one.More = c.hashes(w.keys, maxHashes/len(kept))
		}
	}
	for {
		b := encodeJSON(r)
		switch {
		case len(b) <= maxRecord:
			return b
		case len(r.Writes) > 1:
			r.Writes = r.Writes[1:]
			r.Cut++
		default: // of characters that take more as JSON
			only := r.Writes[0]
			r.Writes[0] = oneRecord{Operation: only.Operation, Count: only.Count, Whole: only.Whole, More: true}
			return encodeJSON(r)
		}
	}
}

func encodeJSON(r record) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil // of these types it cannot fail
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func clippedRows(rows []string) []string {
	short := make([]string, min(len(rows), maxRows))
	for i := range short {
		short[i] = clipped(rows[i], 40, false)
	}
	return short
}

// hashes are 4 bytes of each dependency, as many as there is room for. more: there are others.
func (c *Cache) hashes(keys []string, room int) (text string, more bool) {
	b := make([]byte, 0, 4*min(len(keys), room))
	for _, key := range keys[:min(len(keys), room)] {
		b = binary.BigEndian.AppendUint32(b, hashOf(c.store.TokenName(key)))
	}
	return base64.RawURLEncoding.EncodeToString(b), len(keys) > room
}

func hashOf(dependency string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(dependency))
	return h.Sum32()
}

// earlierStatement stands for the statements that a record has no room for.
const earlierStatement = "an earlier statement of the transaction"

// blamed finds who made a dependency wrong, for which the record was kept: one write, or, where the record does not hold
// all that they wrote, those that may have. ok is false for a record that is none.
func blamed(b []byte, dependency string) (one *Write, some []Write, ok bool) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil || len(r.Writes) == 0 {
		return nil, nil, false
	}
	if r.Cut == 0 && len(r.Writes) == 1 {
		w := r.write(0)
		return &w, nil, true
	}
	for i, o := range slices.Backward(r.Writes) { // the last one that made it wrong
		switch {
		case o.names(dependency) && some == nil:
			w := r.write(i)
			return &w, nil, true
		case o.names(dependency):
			return nil, append(some, r.write(i)), true
		case o.More:
			some = append(some, r.write(i))
		}
	}
	if r.Cut > 0 {
		// Which one is not known, so that it is one of several even where there was but one.
		return nil, append(some, Write{Operation: earlierStatement, Count: r.Cut, Process: r.Process, At: atMicro(r.At), Doubt: r.Doubt}), true
	}
	if len(some) == 1 {
		return &some[0], nil, true
	}
	return nil, some, len(some) > 0
}

func (r *record) write(i int) Write {
	o := r.Writes[i]
	return Write{
		Operation: o.Operation, Table: o.Table, Rows: o.Rows, Count: o.Count, Whole: o.Whole, Caller: o.Caller, Trace: o.Trace,
		Process: r.Process, At: atMicro(r.At), Doubt: r.Doubt,
	}
}

func (o *oneRecord) names(dependency string) bool {
	b, err := base64.RawURLEncoding.DecodeString(o.Wrong)
	if err != nil {
		return false
	}
	h := hashOf(dependency)
	for hash := range slices.Chunk(b, 4) {
		if len(hash) == 4 && binary.BigEndian.Uint32(hash) == h {
			return true
		}
	}
	return false
}

func atMicro(us uint64) time.Time { return time.UnixMicro(int64(us)).UTC() }
