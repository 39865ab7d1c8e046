package queries

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// dice make what is random. The same seed makes the same.
type dice struct{ *rand.Rand }

// seed is that of the environment's SEED, else a new one.
func seed(t testing.TB) uint64 {
	t.Helper()
	if text := os.Getenv("SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		check(t, err)
		return n
	}
	return rand.Uint64() >> 16
}

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

// chance is true n times of a hundred.
func (d dice) chance(n int) bool { return d.IntN(100) < n }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// The values are few, so that rows meet. Some ids are nobody's. Some texts differ by case, accent or blanks alone.
func (d dice) id(most int64) int64 { return 1 + d.Int64N(most) }
func (d dice) user() int64         { return d.id(users + 1) }
func (d dice) team() int64         { return d.id(teams + 1) }
func (d dice) tag() int64          { return d.id(tags) }
func (d dice) message() int64      { return d.id(messages + 2) }
func (d dice) number() int64       { return d.Int64N(6) - 1 }
func (d dice) word() string        { return pick(d, "a", "A", "b", "a ", "á", "", "o'b", "a%", `\`) }

func (d dice) maybe(n int64) *int64 {
	if d.chance(25) {
		return nil
	}
	return &n
}

func (d dice) maybeWord() *string {
	if d.chance(25) {
		return nil
	}
	return new(d.word())
}

// How many rows there are to begin with.
const (
	teams    = 4
	users    = 6
	messages = 20
	tags     = 4
)

// rows are random ones for an empty database.
func (d dice) rows() []any {
	var (
		t []Team
		u []User
		m []Message
		g []Tag
		r []MessageTag
	)
	for i := range int64(teams) {
		t = append(t, Team{ID: i + 1, Name: d.word(), City: d.maybeWord()})
	}
	for i := range int64(users) {
		u = append(u, User{ID: i + 1, Name: d.word(), Width: users - i, Age: d.maybe(d.number()), TeamID: d.Int64N(teams + 1)})
	}
	for i := range int64(messages) {
		m = append(m, d.newMessage(i+1))
	}
	for i := range int64(tags) {
		g = append(g, Tag{ID: i + 1, Label: fmt.Sprint("tag", i%2)})
	}
	for i := range int64(messages) {
		if d.chance(60) {
			r = append(r, MessageTag{MessageID: i + 1, TagID: d.tag()})
		}
	}
	return []any{&t, &u, &m, &g, &r}
}

func (d dice) newMessage(id int64) Message {
	return Message{
		ID: id, SenderID: d.Int64N(users + 1), RecipientID: d.maybe(d.user()), Subject: d.word(), Sent: d.number(),
		Urgent: d.chance(30), Note: d.maybeWord(),
	}
}
