package cachetest

import (
	"context"
	"sync"
)

// reading is one reader.
type reading struct {
	who  string
	read func(context.Context) (int, error)
}

// check reads, and compares what comes with the promise.
func (w *World) check(ctx context.Context, r *reading, who string) {
	began := w.promise.now()
	version, err := r.read(ctx)
	switch want, ok := w.promise.kept(version, began); {
	case err != nil:
		w.failf("%s: fails: %v", who, err)
	case want == 0:
		w.failf("%s: gets %s, which nobody wrote", who, versionName(version))
	case !ok:
		w.failf("%s: gets %s, want %s", who, versionName(version), versionName(want))
	}
}

// promise knows which versions there are, and when each was written. Moments are counted.
type promise struct {
	mu     sync.Mutex
	moment int
	writes []write // of version 2 and so on
}

// write is one version; 0 is not yet.
type write struct{ began, returned int }

// first is the version of the row before anybody wrote.
const first = 1

func (p *promise) newVersion() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = append(p.writes, write{})
	return first + len(p.writes)
}

func (p *promise) now() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moment++
	return p.moment
}

func (p *promise) begins(version int) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes[version-first-1].began = now
}

func (p *promise) returns(version int) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes[version-first-1].returned = now
}

// kept reports whether a read that began at a moment may return a version: not where another write began after that
// version's had returned, and had itself returned by then. Of two writes that overlap nobody can say which is newer.
// want is the version that it should have been at least; 0 where there is no such version.
func (p *promise) kept(version, began int) (want int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var of write
	switch i := version - first - 1; {
	case version == first:
		of.returned = -1
	case i < 0 || i >= len(p.writes) || p.writes[i].began == 0:
		return 0, false
	default:
		of = p.writes[i]
	}
	want, ok = version, true
	last := 0
	for i, w := range p.writes {
		newer := of.returned != 0 && w.began > of.returned
		if newer && w.returned != 0 && w.returned < began && w.returned > last {
			want, ok, last = first+1+i, false, w.returned
		}
	}
	return want, ok
}
