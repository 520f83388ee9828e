// Package signals has signals sent to channels, as os/signal does, at a fraction of the
// price. That one needs three threads of its own and two changes of thread for each signal
// it is asked for, in the wrapper and in the monitor each: 6 % of the processor time of a
// short run, measured.
//
// On Linux the handler is ours: it writes the number of the signal and who sent it to a pipe, on
// whatever thread the kernel has chosen, and a goroutine reads that. What a processor says of
// an instruction (a fault, not a signal that somebody has sent) goes on to the runtime's own
// handler. A signal that was blocked when the process was started is left to os/signal,
// which has a thread where it is not; and so is everything where no pipe is to be had, and
// on other systems: who sent it is not known there.
//
// # What it promises
//
// A signal is sent to all who have asked for it, and is lost to one whose channel is full.
// Nobody lets go of a signal: a run lasts as long as its process. A program that the process
// executes, itself or in a child, begins with the default action; what comes to the child
// before that is lost.
//
// What os/signal knows of a signal is not true any more once it was taken here: Notify
// may get nothing, and Ignored may say what was. A process asks one of the two.
//
// # Goroutines
//
// The first who asks for a signal starts one, which reads the pipe for as long as the
// process lives.
package signals
