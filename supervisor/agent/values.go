package agent

import (
	"bytes"
	"encoding/json"
)

// Bounds on what is kept of one JSON value, in bytes. Answers and tool output
// are long and nobody asks for them here, so that of a string only its start, up
// to stringMost, and about its last endMost are kept: agents write errors behind
// an answer. A value that is still longer than valueMost is read as far as that.
const (
	stringMost = 4 << 10
	endMost    = 1 << 10
	valueMost  = 1 << 20
)

// values splits a byte stream into JSON values. What is no value is skipped. Its
// zero value expects one value per line.
type values struct {
	// document is true when a value may span lines.
	document bool

	kept    []byte
	tail    []byte // the end of a string that is longer than kept
	depth   int
	length  int // of the string we are in
	inStr   bool
	last    byte // of that string
	escaped int  // bytes of an escape still to come
	inside  bool // between the first byte of a value and its end
	junk    bool // in a line that is no value
}

// feed takes the next bytes and hands every finished value to each, which may
// not keep it.
func (v *values) feed(b []byte, each func([]byte)) {
	for _, c := range b {
		switch {
		case c == '\n' && (!v.document || !v.inside):
			v.end(each)
		case v.junk:
		case !v.inside:
			v.start(c)
		default:
			v.next(c)
			if v.document && v.depth == 0 {
				v.end(each)
			}
		}
	}
}

// start looks at a byte that may begin a value.
func (v *values) start(c byte) {
	switch c {
	case ' ', '\t', '\r':
	case '{', '[':
		v.inside = true
		v.next(c)
	default:
		v.junk = true
	}
}

// next takes one byte of a value.
func (v *values) next(c byte) {
	if v.inStr {
		v.inString(c)
		return
	}
	switch c {
	case '"':
		v.inStr, v.length = true, 0
	case '{', '[':
		v.depth++
	case '}', ']':
		v.depth--
	}
	v.keep(c)
}

// inString takes one byte of a string. Its start is cut where no escape is.
func (v *values) inString(c byte) {
	first := v.escaped == 0
	switch {
	case first && c == '"':
		v.inStr = false
		v.keepTail()
		v.keep(c)
		return
	case first && c == '\\':
		v.escaped = 1
	case v.escaped == 1 && c == 'u' && v.last == '\\':
		v.escaped = 4
	case !first:
		v.escaped--
	}
	v.last = c
	if v.length++; v.length <= stringMost || !first && len(v.tail) == 0 {
		v.keep(c)
		return
	}
	if len(v.tail) >= 2*endMost {
		v.tail = append(v.tail[:0], v.tail[endMost:]...)
	}
	v.tail = append(v.tail, c)
}

// keepTail adds the end of a string that was cut, from a blank on: there no
// escape is torn.
func (v *values) keepTail() {
	if at := bytes.IndexByte(v.tail, ' '); at >= 0 {
		for _, c := range v.tail[at:] {
			v.keep(c)
		}
	}
	v.tail = v.tail[:0]
}

// keep adds a byte unless the value is already as long as may be.
func (v *values) keep(c byte) {
	if len(v.kept) < valueMost {
		v.kept = append(v.kept, c)
	}
}

// unfinished says whether a value has begun and has not ended.
func (v *values) unfinished() bool { return v.inside && v.depth > 0 }

// end hands over the value that is finished, if there is one, and starts anew.
func (v *values) end(each func([]byte)) {
	if v.inside {
		spread(v.kept, each)
	}
	*v = values{document: v.document, kept: v.kept[:0], tail: v.tail[:0]}
}

// spread hands over the elements of an array one by one, and anything else as
// it is.
func spread(b []byte, each func([]byte)) {
	if b[0] != '[' {
		each(b)
		return
	}
	var all []json.RawMessage
	if json.Unmarshal(b, &all) != nil {
		return
	}
	for _, one := range all {
		each(one)
	}
}

// decode reads a value into a struct as far as it fits: a field of another type
// than expected is left alone, and of a value that was cut short only the plain
// fields of its outermost object are read.
func decode(b []byte, into any) {
	if json.Valid(b) {
		_ = json.Unmarshal(b, into)
		return
	}
	if whole := outermost(b); whole != nil {
		_ = json.Unmarshal(whole, into)
	}
}

// outermost is an object with the plain fields of the outermost object of b, up
// to where b breaks off; nil when b is no object.
func outermost(b []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	fields := map[string]any{}
	for {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			break
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			break
		}
		fields[name] = value
	}
	whole, err := json.Marshal(fields)
	if err != nil {
		return nil
	}
	return whole
}
