package terminal

import (
	"bytes"
	"testing"
)

func TestLineEnds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"one\r\ntwo\r\n": "one\ntwo\n", "\r\n": "\n", "a\rb": "a\rb", "\r\r\n": "\r\n", "plain\n": "plain\n", "": "",
	} {
		e := lineEnds{on: true}
		if got := string(e.pass([]byte(in))); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// FuzzLineEnds: however the output is cut, the result is that of the whole, and
// switching it off passes everything.
func FuzzLineEnds(f *testing.F) {
	f.Add([]byte("one\r\ntwo\r"), 3)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		if size <= 0 {
			return
		}
		e := lineEnds{on: true}
		var got []byte
		for b := in; len(b) > 0; b = b[min(size, len(b)):] {
			got = append(got, e.pass(b[:min(size, len(b))])...)
		}
		got = append(got, e.set(false)...)
		if want := bytes.ReplaceAll(in, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if off := e.pass(in); !bytes.Equal(off, in) {
			t.Errorf("off: %q became %q", in, off)
		}
	})
}
