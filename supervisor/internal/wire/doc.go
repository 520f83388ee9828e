// Package wire is what a wrapper and its monitor say to each other: orders one way,
// reports the other, over a socket pair that only the two of them hold.
//
// # What it promises
//
// Messages arrive whole and in order, or the end of the other side does: it reads
// as io.EOF at once, whatever ended that process. Whatever arrives, nothing panics and no memory is asked for that the bytes do not
// fill.
//
// It starts no goroutine. Sending is safe from any, one receives.
package wire
