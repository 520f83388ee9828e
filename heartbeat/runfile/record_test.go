package runfile

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// drawRecord is any record a wrapper could write.
func drawRecord(t *rapid.T) ExitRecord {
	num := rapid.Int64()
	r := ExitRecord{
		UID:        "0190b3a4-7a6e-7cc1-8c6e-0123456789ab",
		Generation: num.Draw(t, "generation"),
		End:        rapid.SampledFrom(lifecycle.ProcessEnds()).Draw(t, "end"),
		CoreDumped: rapid.Bool().Draw(t, "core"),
		StoppedBy:  rapid.SampledFrom(lifecycle.Stoppers()).Draw(t, "by"),
		StopFailed: rapid.Bool().Draw(t, "failed"),
		At:         lifecycle.Instant{WallMS: num.Draw(t, "wall"), AwakeMS: num.Draw(t, "awake"), BootID: "0190b3a4-7a6e-7cc1-8c6e-0123456789ab"},
		Note:       rapid.String().Draw(t, "note"),
	}
	if rapid.Bool().Draw(t, "exited") {
		r.ExitCode, r.Degraded = new(rapid.IntRange(0, 255).Draw(t, "code")), true
		r.Started = &lifecycle.Instant{WallMS: r.At.AwakeMS, AwakeMS: r.At.WallMS, BootID: r.At.BootID}
	} else {
		r.Signal = new(rapid.IntRange(1, 64).Draw(t, "signal"))
	}
	return r
}

// Every record survives the file, its note perhaps shortened between two
// characters, and no damaged byte goes unnoticed.
func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		b, err := want.encode()
		if err != nil || len(b) != recordSize {
			t.Fatalf("encode() = %d bytes, %v", len(b), err)
		}
		got, ok := decode(b)
		if !ok || !strings.HasPrefix(want.Note, got.Note) || !utf8.ValidString(got.Note) {
			t.Fatalf("decode(%q) = %+v, %v", b, got, ok)
		}
		got.Note = want.Note
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		used := len(strings.TrimRight(string(b), "\n"))
		b[rapid.IntRange(0, used-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 6).Draw(t, "bit")
		if got, ok := decode(b); ok && !reflect.DeepEqual(got.At, want.At) {
			t.Fatalf("damage went unnoticed: %q", b)
		}
	})
}

func TestRecordKeepsMuchOfItsNote(t *testing.T) {
	t.Parallel()
	r := numbered(200)
	r.Note = strings.Repeat("é", 300)
	b, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := decode(b); !ok || len(got.Note) < 200 || strings.Trim(got.Note, "é") != "" {
		t.Errorf("decode() = %+v, %v", got, ok)
	}
}

func TestRecordTooLong(t *testing.T) {
	t.Parallel()
	if _, err := (ExitRecord{UID: strings.Repeat("u", recordSize), Note: "x"}).encode(); err == nil {
		t.Error("an absurd uid fits")
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := numbered(1).encode()
	f.Add(b)
	f.Add(make([]byte, recordSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if rec, ok := decode(b); !ok && rec.UID != "" {
			t.Errorf("decode(%q) refuses and still gives %+v", b, rec)
		}
	})
}
