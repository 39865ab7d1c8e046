package integration_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/outbox"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestOutbox(t *testing.T) { onEach(t, outbox.Run) }

func TestOutbox_triggers(t *testing.T) { onEach(t, outbox.Triggers) }

func TestOutbox_of_a_process_that_is_killed(t *testing.T) {
	for _, c := range crashPlaces() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			outbox.Killed(t, c.open, "TestOutboxProcess")
		})
	}
}

// TestOutboxProcess is the body of a process that is to be killed; in any other it has nothing to do.
func TestOutboxProcess(t *testing.T) {
	text := os.Getenv(outbox.OrderVariable)
	if text == "" {
		return
	}
	var order outbox.Order
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	if err := outbox.Obey(driversOf(order.Dialect), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkOutbox(b *testing.B) {
	sqlite := database{"SQLite", func(t testing.TB) writes.Database {
		d := writes.Embedded(t)
		d.Redis = kit.Redis(t)
		return d
	}}
	for _, d := range append(databases(), sqlite) {
		b.Run(d.name, func(b *testing.B) { outbox.Bench(b, d.open) })
	}
}
