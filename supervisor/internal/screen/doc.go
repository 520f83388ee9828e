// Package screen understands what a program writes to its terminal, as far as
// ocr-run needs it: which terminal modes are switched on (Modes), so that those
// of a program that was killed can be switched off again; and what its last
// output looked like to a person (Tail, Text), so that an error message on the
// screen can be evidence of how a run ended.
//
// # What it promises
//
// It only ever reads: bytes pass it unchanged. Memory is bounded whatever is
// written. There are no goroutines; a Modes or a Tail belongs to one goroutine at
// a time. Following output costs a copy of it (Tail.Add) and no memory per chunk;
// the screen is worked out only when somebody asks (Text), from the tail alone.
//
// # The model
//
// Text plays the tail back on a model terminal that has no colours: one normal
// screen with the lines that scrolled off it, and one alternate screen. Where
// terminals differ it does what loses the least text. It knows nothing of a
// resize within the tail: the whole of it is played at the size it is given.
package screen
