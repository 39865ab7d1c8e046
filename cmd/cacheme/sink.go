package main

import "io"

// sink is where results go. The first error of it is kept and ends the command, whose result nobody can read: a disk that is full must
// not look like a list that is empty.
type sink struct {
	to  io.Writer
	end func()
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.to.Write(b)
	if err != nil {
		s.err = err
		s.end()
	}
	return n, err
}
