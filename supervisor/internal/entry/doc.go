// Package entry is where the program begins, before the Go runtime does: the linker is
// told so (-E, see the Makefile). There it asks the kernel what this process was started
// with and the runtime takes over before any of our code runs, and sets what the runtime
// is better begun with. Both concern what a program passes on to those it starts.
//
//   - Which signals are ignored, as nohup relies on. The runtime takes most of them over,
//     and does not tell what they were.
//   - How late a timer may be (its slack, in prctl(2)). The runtime has a thread that looks
//     after the others every 20 µs at first, 70 with the usual slack: in a short run that
//     was a third of all processor time. So it is begun with more, and what is started
//     by us gets what we were started with.
//
// In a program that was linked without, or for another system than Linux, nothing is
// known: nothing was ignored, and the slack is left alone.
//
// It starts no goroutine.
package entry
