// Package screen understands what a program writes to its terminal, as far as
// ocr-run needs it: which terminal modes are switched on (Modes), so that those
// of a program that was killed can be switched off again.
//
// # What it promises
//
// It only ever reads: bytes pass it unchanged. Memory is bounded whatever is
// written. There are no goroutines; a Modes belongs to one goroutine at a time.
package screen
