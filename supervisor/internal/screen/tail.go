package screen

import (
	"bytes"
	"slices"
)

// TailSize is how much output a Tail remembers, in bytes.
const TailSize = 64 << 10

// Tail remembers the last bytes of output. Its zero value is empty and holds no
// memory; the first byte added takes TailSize of it, and nothing after that takes
// any.
type Tail struct {
	ring  []byte
	added uint64 // ever; the next byte goes to this index modulo TailSize
}

// Add takes in one chunk of output. It keeps no reference to b.
func (t *Tail) Add(b []byte) {
	if len(b) == 0 {
		return
	}
	if t.ring == nil {
		t.ring = make([]byte, TailSize)
	}
	end := t.added + uint64(len(b))
	b = b[max(0, len(b)-TailSize):]
	n := copy(t.ring[(end-uint64(len(b)))%TailSize:], b)
	copy(t.ring, b[n:])
	t.added = end
}

// Bytes is a copy of what is remembered, oldest first. Once older output was
// forgotten it begins where text can be understood, which is a little later than
// what is remembered: never within an escape sequence, a character or a line.
func (t *Tail) Bytes() []byte {
	if t.added <= TailSize {
		return bytes.Clone(t.ring[:t.added])
	}
	at := t.added % TailSize
	return afterCut(slices.Concat(t.ring[at:], t.ring[:at]))
}

// afterCut drops the rest of whatever b begins within. An escape begins anew
// whatever it interrupts; a bell or a line feed ends what it follows. Output that
// has none of them is one long piece of text and stays.
func afterCut(b []byte) []byte {
	i := bytes.IndexAny(b, "\x1b\a\n")
	switch {
	case i < 0:
		return b
	case b[i] == esc:
		return b[i:]
	}
	return b[i+1:]
}
