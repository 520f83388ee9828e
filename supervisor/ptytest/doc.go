// Package ptytest is a terminal to test against: it plays the person's terminal emulator, so that a test can see what a
// person would have seen.
//
// Start runs a command as the leader of a session of its own whose controlling terminal is a fresh pseudo-terminal; the
// command's descriptors 0, 1 and 2 are that terminal, and no other descriptor is inherited. To redirect one of them, run a
// shell that does.
//
// # What it promises
//
//   - Every byte the terminal shows is kept, in order; Expect looks at each byte once. The kernel throws away what the terminal
//     has not yet read when the session's leader ends: a command whose last bytes matter is run by a leader that outlives it.
//   - Nothing waits for ever: every wait takes a bound, and there is no sleep in the package.
//   - Close kills what the terminal started and reports what it could not. A process belongs to the terminal when it carries the
//     terminal's marker in its environment, or is in its session, or has it as controlling terminal. A process that is none of
//     the three (a new session with a cleared environment) is not found: whoever tests for those must look by other means.
//   - Tests may run in parallel: terminals share nothing.
//
// # States
//
// A terminal is shown (its output is read), paused (Pause: it stands still, as one that was stopped with ^S or whose window
// hangs), hung up (Hangup: the window was closed) or closed.
//
// # Goroutines
//
// Start starts two: one reads the terminal until it is hung up or its last holder is gone, one waits for the command.
// Close ends both and returns when they are gone.
package ptytest
