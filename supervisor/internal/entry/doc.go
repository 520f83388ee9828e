// Package entry is where the program begins, before the Go runtime does: the linker is
// told so (-E, see the Makefile). There it asks the kernel what this process was started
// with and the runtime takes over before any of our code runs, and sets what the runtime
// is better begun with. All of it concerns what a program passes on to those it starts.
//
//   - Which signals are ignored, as nohup relies on. The runtime takes most of them over,
//     and does not tell what they were.
//   - How late a timer of a thread may be (its slack, in prctl(2)). The runtime has a thread
//     that looks after the others, every 20 µs at first and 70 with the usual slack: 15 to
//     37 % of the processor time of a short run, measured. So that one is begun with more; the
//     others, and what is started by us, have what we were started with.
//   - Which of the standard descriptors were closed. The runtime opens /dev/null on them, and
//     there it stays: what we open ourselves cannot come to lie there, and what we write goes
//     nowhere. Whoever is started by us has them closed.
//
// In a program that was linked without, or for another system than Linux, nothing is
// known: nothing was ignored, the slack is left alone, and nothing was closed.
//
// It imports next to nothing, to be set up early, and starts no goroutine.
package entry
