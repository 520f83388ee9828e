package agent

import "slices"

// Reader follows an agent's JSON output as it passes. It belongs to one
// goroutine at a time; Agent.Reader makes one.
type Reader struct {
	values values
	value  func(*track, []byte)
	track  track
}

// Reader makes a reader for the output of the invocation. It finds nothing when
// the agent writes no JSON there.
func (a Agent) Reader(in Invocation) *Reader {
	r := &Reader{values: values{document: in.Output == OutputDocument}}
	if in.Output != OutputText {
		r.value = a.value
	}
	return r
}

// Feed takes the next bytes of output, cut wherever they were cut, and answers
// with the events they complete. It keeps nothing of b.
func (r *Reader) Feed(b []byte) []Event {
	if r.value != nil {
		r.values.feed(b, r.each)
	}
	return r.track.take()
}

// Close takes in what was written last, should it lack its newline. A value that was
// cut off says nothing but that: what its beginning claims need not be what it was to
// say.
func (r *Reader) Close() []Event {
	switch {
	case r.value == nil:
	case r.values.unfinished():
		r.track.cutOff()
	default:
		r.values.end(r.each)
	}
	return r.track.take()
}

// Standing is what has been seen so far.
func (r *Reader) Standing() Standing { return r.track.Standing }

func (r *Reader) each(b []byte) { r.value(&r.track, b) }

// oneOf says whether s is one of the words.
func oneOf(s string, words ...string) bool { return slices.Contains(words, s) }
