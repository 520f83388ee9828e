package runfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"unicode/utf8"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// recordSize is the room for one exit record. It is one sector of every disk
// we know, so that a write of it is not split.
const recordSize = 512

// recordHead starts every record: a name and version, the checksum of what
// follows, its length. It is text so that a person can read the file.
const recordHead = "ocr-run exit 1 %08x %03d\n"

// recordHeadSize is the length of a filled-in head.
const recordHeadSize = 28

// ExitRecord is how a run ended, as written by whoever took in its exit.
type ExitRecord struct {
	UID        string `json:"uid"`
	Generation int64  `json:"generation"`
	// End is exited, signalled or not-started.
	End lifecycle.ProcessEnd `json:"end"`
	// ExitCode is 0-255, nil unless the process exited or was not started.
	ExitCode *int `json:"exit_code,omitempty"`
	// Signal is the signal's number, nil unless the process died of one.
	Signal     *int `json:"signal,omitempty"`
	CoreDumped bool `json:"core_dumped,omitempty"`
	// StoppedBy is who ended the run; empty when nobody did.
	StoppedBy lifecycle.StoppedBy `json:"stopped_by,omitempty"`
	// StopFailed is true when the process outlived the grace of a stop.
	StopFailed bool `json:"stop_failed,omitempty"`
	// At is when the exit was taken in.
	At lifecycle.Instant `json:"at"`
	// Started is when the command was launched, as its wrapper says who could write nothing
	// else down; nil from anybody else.
	Started *lifecycle.Instant `json:"started,omitempty"`
	// Degraded is true when the wrapper knows that the ledger misses what it had to say.
	Degraded bool `json:"degraded,omitempty"`
	// Note is for a person, and is cut to fit; everything else always fits.
	Note string `json:"note,omitempty"`
}

// errTooLong is a record that does not fit even without its note, which only
// an identifier of absurd length can bring about.
var errTooLong = errors.New("exit record too long")

// encode is the record as it lies in the file, padded to full size.
func (r ExitRecord) encode() ([]byte, error) {
	const room = recordSize - recordHeadSize
	body, err := json.Marshal(r)
	for err == nil && len(body) > room && r.Note != "" {
		r.Note = shorten(r.Note, len(body)-room)
		body, err = json.Marshal(r)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("encode exit record: %w", err)
	case len(body) > room:
		return nil, fmt.Errorf("encode exit record of %d bytes: %w", len(body), errTooLong)
	}
	out := bytes.Repeat([]byte{'\n'}, recordSize)
	n := copy(out, fmt.Sprintf(recordHead, crc32.ChecksumIEEE(body), len(body)))
	copy(out[n:], body)
	return out, nil
}

// shorten cuts at least n bytes off the end of s, between two characters.
func shorten(s string, n int) string {
	s = s[:max(len(s)-n, 0)]
	for s != "" {
		if r, size := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || size != 1 {
			return s
		}
		s = s[:len(s)-1]
	}
	return s
}

// decode reads what encode wrote; ok is false for anything else: an empty
// record, half of one, or a foreign file.
func decode(b []byte) (rec ExitRecord, ok bool) {
	var sum uint32
	var size int
	if len(b) != recordSize {
		return rec, false
	}
	if _, err := fmt.Sscanf(string(b[:recordHeadSize]), recordHead, &sum, &size); err != nil {
		return rec, false
	}
	if size < 0 || size > recordSize-recordHeadSize {
		return rec, false
	}
	body := b[recordHeadSize : recordHeadSize+size]
	if crc32.ChecksumIEEE(body) != sum || json.Unmarshal(body, &rec) != nil {
		return ExitRecord{}, false
	}
	return rec, true
}
