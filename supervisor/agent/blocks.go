package agent

import "bytes"

// blockMost bounds one block, in bytes. The long ones hold what was asked, and
// nobody looks for that here. One has a word for every piece that an answer came in:
// a line that is the same as the one before it is left out.
const blockMost = 64 << 10

// blocks splits a file of JSON objects that are written one after the other, either
// on one line each or over several that are indented, as telemetry is. It finds its
// way again wherever bytes are missing: no line inside an object begins with its
// brace. Its zero value is ready.
type blocks struct {
	line, block []byte
	at          int  // where the last line of the block begins
	inside      bool // a block has begun and is not too long
	long        bool // the line is too long to be kept
}

// feed takes the next bytes and hands every finished object to each, which may not
// keep it.
func (s *blocks) feed(b []byte, each func([]byte)) {
	for len(b) > 0 {
		piece, rest, whole := bytes.Cut(b, []byte{'\n'})
		b = rest
		if len(s.line)+len(piece) > blockMost {
			s.line, s.long = s.line[:0], true
		} else if !s.long {
			s.line = append(s.line, piece...)
		}
		if whole {
			s.next(each)
			s.line, s.long = s.line[:0], false
		}
	}
}

// next takes in the line that is finished.
func (s *blocks) next(each func([]byte)) {
	line := bytes.TrimRight(s.line, "\r")
	switch {
	case s.long:
		s.inside = false
		return
	case len(line) == 0:
		return
	case line[0] == '{':
		s.inside, s.block, s.at = true, s.block[:0], 0
	case s.inside && bytes.Equal(s.block[s.at:], line):
		return
	}
	if s.inside = s.inside && len(s.block)+len(line) <= blockMost; !s.inside {
		return
	}
	s.at, s.block = len(s.block), append(s.block, line...)
	if line[0] == '}' || line[0] == '{' && len(line) > 1 && line[len(line)-1] == '}' {
		s.inside = false
		each(s.block)
	}
}
