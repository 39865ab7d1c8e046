package model

import (
	"fmt"
	"strings"
)

// Story is a shortest way to a broken promise.
type Story struct {
	Promise  Promise
	Scenario string
	Cast     string
	Steps    []Step
}

// Step is what happened, and what it looked like then; Then is empty where there is nothing to see.
type Step struct{ What, Then string }

// String is the whole story, a line for each step.
func (s Story) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is broken: %s\nscenario %q: %s\n", s.Promise, s.Promise.Says(), s.Scenario, s.Cast)
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "%3d  %s", i+1, step.What)
		if step.Then != "" {
			b.WriteString(" -> " + step.Then)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Line is the story in one line.
func (s Story) Line() string {
	var words []string
	for _, step := range s.Steps {
		words = append(words, step.What)
	}
	return strings.Join(words, "; ")
}

// event is what a step did. It becomes words only in a story: an exploration takes millions of steps.
type event struct {
	what    happening
	who, on uint8
	age     int // 0: older, 1: as old, 2: younger
}

type happening uint8

const (
	asks happening = iota
	sharesTrip
	bypasses
	hits
	hitsNear
	settles
	joins
	declines
	takesFlight
	takesNext
	waits
	leaseTaken
	leads
	creates
	inquires
	learnsCalm
	learnsLoss
	loads
	failsInTx
	readsLate
	bornInvalid
	fills
	fillRefused
	storesNothing

	writes
	holds
	commits
	commitRefused
	commitSilent
	rollsBack
	releases
	invalidates
	marksDoubt
	removes

	killsWriter
	killsReader
	arrivesLate
	neverArrives
	lapses
	leaseEnds
	evictsToken
	evictsEntry
	evictsLease
	evictsMark
	flushes
	saves
	restarts
	stepsBack

	hearsWord
	pings
	hearsAnswer
	lagBegins
	lagEnds
	linkDies
	reconnects
	happenings
)

// telling is the text of a happening. {R}, {W}: who, as reader or writer; {on}: another reader; {T}: the token {on};
// {key}, {sight}, {rows}: as they are afterwards; {value}: what the reader returns;
// {age}: how the token's time stands to the load's.
type telling struct{ what, then string }

// tellings is read only.
var tellings = [happenings]telling{
	asks:          {"{R} MGET", "{sight}"},
	sharesTrip:    {"{R} arrives and shares the MGET of {on}", ""},
	bypasses:      {"{R} reads past the cache", ""},
	hits:          {"{R} hits {value}", ""},
	hitsNear:      {"{R} hits near {value}", ""},
	settles:       {"{R} settles {T}", "{key}"},
	joins:         {"{R} joins {on}", ""},
	declines:      {"{R} declines the value of {on}", "asks again"},
	takesFlight:   {"{R} returns {value} from the flight of {on}", ""},
	takesNext:     {"{R} takes {value} from the load of {on}", ""},
	waits:         {"{R} waits", ""},
	leaseTaken:    {"{R} finds the lease taken", ""},
	leads:         {"{R} leads", ""},
	creates:       {"{R} creates {T}", "{key}"},
	inquires:      {"{R} reads INFO", ""},
	learnsCalm:    {"{R} reads the mark: calm", ""},
	learnsLoss:    {"{R} reads the mark: a loss", "written anew"},
	loads:         {"{R} loads {row}", "{loaded}"},
	failsInTx:     {"{R} fails, its transaction is over", ""},
	readsLate:     {"{R} reads {T} late: {age}", "{key}"},
	bornInvalid:   {"{R} reads {T} late: born invalid", "{key}"},
	fills:         {"{R} fills {value}", "{sight}"},
	fillRefused:   {"{R} fill refused, returns {value}", "{sight}"},
	storesNothing: {"{R} stores nothing, returns {value}", ""},

	writes:        {"{W} writes", ""},
	holds:         {"{W} holds {T}", "{key}"},
	commits:       {"{W} COMMIT", "rows {rows}"},
	commitRefused: {"{W} COMMIT refused", "the database has given the transaction up"},
	commitSilent:  {"{W} COMMIT without answer", "it may still arrive"},
	rollsBack:     {"{W} ROLLBACK", ""},
	releases:      {"{W} releases {T}", "{key}"},
	invalidates:   {"{W} invalidates {T}", "{key}"},
	marksDoubt:    {"{W} marks {T} in doubt", "{key}"},
	removes:       {"{W} removes entry and lease", ""},

	killsWriter:  {"**{W} killed**", ""},
	killsReader:  {"**process of {R} killed**", ""},
	arrivesLate:  {"COMMIT of {W} arrives", "rows {rows}"},
	neverArrives: {"transaction of {W} dropped", ""},
	lapses:       {"deadline of {W} passes", ""},
	leaseEnds:    {"lease of {R} ends", ""},
	evictsToken:  {"**{T} evicted**", ""},
	evictsEntry:  {"**entry evicted**", ""},
	evictsLease:  {"**lease evicted**", ""},
	evictsMark:   {"**mark evicted**", ""},
	flushes:      {"**flush**", ""},
	saves:        {"snapshot", ""},
	restarts:     {"**restart**", "{sight}"},
	stepsBack:    {"**clock steps back**", ""},

	hearsWord:   {"word of {word} arrives", ""},
	pings:       {"ping", ""},
	hearsAnswer: {"answer", ""},
	lagBegins:   {"a lag begins", ""},
	lagEnds:     {"the lag ends", ""},
	linkDies:    {"**link dies**", ""},
	reconnects:  {"link is back", ""},
}

func (p *play) tell(before, after *world, e event) Step {
	who, on := int(e.who), int(e.on)
	var returned, loaded versions
	switch e.what {
	case hits:
		returned = before.Readers[who].Seen.Entry.Value
	case hitsNear:
		returned = before.Near.Value
	case takesFlight, takesNext:
		returned = before.Readers[on].Value
	case fills, fillRefused, storesNothing:
		returned = before.Readers[who].Value
	case loads:
		loaded = after.Readers[who].Value
	}
	words := strings.NewReplacer(
		"{R}", readerName(who), "{W}", writerName(who), "{on}", readerName(on),
		"{age}", [...]string{"older", "same microsecond", "younger"}[e.age], "{T}", tokenName(on), "{word}", wordName(on),
		"{row}", fmt.Sprintf("row %d", on+1), "{loaded}", version(loaded[min(on, maxRows-1)]),
		"{key}", after.Redis.Keys[min(on, maxKeys-1)].String(), "{rows}", p.value(after.Rows),
		"{value}", p.value(returned), "{sight}", p.describe(after.Redis.sight))
	text := tellings[e.what]
	return Step{words.Replace(text.what), words.Replace(text.then)}
}
