// Package torture lets readers and writers of several processes run into each other, on a real database and a real
// Redis, while everything that can break does, and holds what each of them got against what is promised.
//
// A run has some processes inside the test and some of their own, which are killed and stopped (process.go, child.go).
// Each reads nodes of every kind (nodes.go, reads.go) and writes in every manner (writes.go), and tells what it did in
// records (record.go). Every value that can be read names the writes that it shows. The judge (judge.go) knows from the
// database which writes were committed, in which order, and finds
//
//   - a Get that began after a write had returned and shows something from before it (facts.go);
//   - a value that was never committed (facts.go);
//   - a row whose reads and writes have no order in which each read shows the last write, by porcupine (register.go).
//
// The director breaks things in between (director.go, faults.go). docs/torture.md is the page for whoever runs it.
package torture
