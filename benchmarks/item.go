package main

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/cacheme/cacheme/internal/codec"
)

// Item is what all peers cache: an ordinary row of about 900 bytes, whatever the encoding.
type Item struct {
	ID      int64
	Version int64 // counts the writes to the row in the source
	Title   string
	Authors []string
	Price   float64
	Written time.Time
	Body    string
}

// bodySize makes an item 923 bytes long in msgpack.
const bodySize = 790

// newItem returns a row of the source. Its body is random letters, so that a peer that compresses finds nothing to
// gain: what real text would gain is the text's merit.
func newItem(id, version int64, size int) Item {
	letters := rand.New(rand.NewPCG(uint64(id), uint64(version)))
	body := make([]byte, size)
	for i := range body {
		body[i] = 'a' + byte(letters.UintN(26))
	}
	return Item{
		ID: id, Version: version, Title: "The Left Hand of Darkness", Authors: []string{"Ursula K. Le Guin"}, Price: 12.5,
		Written: time.Date(1969, 3, 1, 0, 0, 0, 0, time.UTC), Body: string(body),
	}
}

// encoding is how a peer that takes bytes is given an item.
type encoding struct {
	name      string
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}

// asCBOR is cacheme's own codec; peers without one have it too, so that a difference is not the codec's.
func asCBOR() encoding {
	c := codec.NewCBOR()
	return encoding{"CBOR", c.Marshal, c.Unmarshal}
}

func asMsgpack() encoding { return encoding{"msgpack", msgpack.Marshal, msgpack.Unmarshal} }

func asJSON() encoding { return encoding{"JSON", json.Marshal, json.Unmarshal} }

func (e encoding) decode(b []byte) (Item, error) {
	var item Item
	err := e.unmarshal(b, &item)
	return item, err
}

// keyOf is the key of an item for peers whose keys are strings.
func keyOf(prefix string, id int64) string { return prefix + strconv.FormatInt(id, 10) }

func keysOf(prefix string, ids []int64) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = keyOf(prefix, id)
	}
	return keys
}
