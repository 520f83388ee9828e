// Package ignored knows which signals this process was started with ignored. A program
// passes that on to those it starts, as nohup relies on; the Go runtime takes most of
// them over before any of our code runs, and does not tell what they were.
//
// So the question is asked before the runtime begins: the linker is told to let the
// program begin at entry, which asks the kernel, notes the answers, and goes on with the
// runtime's own beginning (-E, see the Makefile). In a program that was linked without,
// or for another system than Linux, nothing is known, and nothing was ignored.
//
// It starts no goroutine.
package ignored
