package screen

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTailIsTheEnd: whatever the chunks, a Tail holds the end of what was added,
// from a place where text can be understood.
func TestTailIsTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tail Tail
		var all []byte
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3*TailSize/2), 0, 5).Draw(t, "chunks") {
			chunk := make([]byte, n)
			for i := range chunk {
				chunk[i] = "abcdefg\n"[(len(all)+i)*(len(all)+i)%8]
			}
			all = append(all, chunk...)
			tail.Add(chunk)
		}
		want := all
		if len(all) > TailSize {
			want = afterCut(all[len(all)-TailSize:])
		}
		if got := tail.Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("of %d bytes the tail has %d, want %d", len(all), len(got), len(want))
		}
	})
}

func TestTailTakesNoMemoryPerChunk(t *testing.T) {
	var tail Tail
	if tail.Add(nil); tail.ring != nil {
		t.Error("an empty chunk takes memory")
	}
	chunk := make([]byte, 4096)
	tail.Add(chunk)
	if n := testing.AllocsPerRun(100, func() { tail.Add(chunk) }); n != 0 {
		t.Errorf("%v allocations per chunk", n)
	}
}

// TestTailIsACopy: what was handed out does not change under its reader.
func TestTailIsACopy(t *testing.T) {
	t.Parallel()
	var tail Tail
	chunk := []byte("first")
	tail.Add(chunk)
	got := tail.Bytes()
	copy(chunk, "other")
	tail.Add([]byte(strings.Repeat("x", TailSize)))
	if string(got) != "first" {
		t.Errorf("the tail changed to %q", got)
	}
}

func TestAfterCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, written, want string }{
		{"within colours", "8;5;223;49mred\x1b[0mplain", "\x1b[0mplain"},
		{"within a title", "itle\atext", "text"},
		{"within a title that an escape ends", "itle\x1b\\text", "\x1b\\text"},
		{"within a line", "of a line\r\nnext\n", "next\n"},
		{"within a character", "\xac\xac euro\nnext", "next"},
		{"one endless line", "{\"text\":\"", "{\"text\":\""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := string(afterCut([]byte(c.written))); got != c.want {
				t.Errorf("%q begins %q, want %q", c.written, got, c.want)
			}
		})
	}
}

func BenchmarkTailAdd(b *testing.B) {
	var tail Tail
	chunk := make([]byte, 4096)
	tail.Add(chunk)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		tail.Add(chunk)
	}
}
