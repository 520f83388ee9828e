package terminal

import "bytes"

// lineEnds takes the carriage return out of CR LF while it is on. Its zero value
// is off and passes everything. A CR at the end of a chunk is held until the next
// one tells whether a LF follows.
type lineEnds struct {
	on   bool
	held bool
	out  []byte
}

// pass is b as it is to be written; it is valid until the next call.
func (e *lineEnds) pass(b []byte) []byte {
	if !e.on {
		return b
	}
	e.out = e.out[:0]
	if e.held && b[0] != '\n' {
		e.out = append(e.out, '\r')
	}
	e.held = false
	for {
		i := bytes.IndexByte(b, '\r')
		switch {
		case i < 0:
			e.out = append(e.out, b...)
			return e.out
		case i == len(b)-1:
			e.out, e.held = append(e.out, b[:i]...), true
			return e.out
		case b[i+1] == '\n':
			e.out = append(e.out, b[:i]...)
		default:
			e.out = append(e.out, b[:i+1]...)
		}
		b = b[i+1:]
	}
}

// set switches it and gives back what was held.
func (e *lineEnds) set(on bool) []byte {
	e.on = on
	if !e.held {
		return nil
	}
	e.held = false
	return []byte{'\r'}
}
