// Package reaper keeps the ledger true after wrappers have died, and the machine
// free of what they left running.
//
// # What it promises
//
// A row is settled only on proof that nobody will write it any more: its lease
// is free, its wrapper's identity is gone (or of another boot), and its monitor
// is gone too. Age proves nothing. An exit record beside the ledger beats a
// verdict of "lost". Every row is judged on its own; trouble with one leaves the
// others alone.
//
// A process is signalled only when the ledger names exactly this one, or two
// independent proofs say that it belongs to a run, and when at two looks a second
// apart nobody looked after that run; and the identity is compared once more in
// the moment of the signal. With less it is named and left alone. What is meant to
// stay, what serves others, what belongs to a living run or to another ledger, and
// ourselves with our ancestors are spared, each with everything below it.
//
// # States of a row, as seen from outside
//
//	live, late, stopped ──► left alone; asked to end if idle and so wished
//	gone, monitor alive ──► left alone: it is writing the exit record
//	gone, exit record   ──► the real end
//	gone, no record     ──► lost, which may still learn its real end
//
// [Settle] does this much and signals nobody: every command that looks at the
// ledger does it first. The run file of a row that left something running stays,
// and is how a sweep finds the row again.
//
// # A sweep
//
//	Survey ─► plan ─► (a person agrees) ─► second look ─► Reap, step by step
//
// The [Step] constants say in which order and why. [Explain] and [Audit] look with
// the same eyes and change nothing. [Cancel] asks a run to end, or ends what is
// left of it; [CancelFlow] does so with every run of a flow.
//
// # Goroutines
//
// None: callers choose when to sweep, and one process at a time may, see [Lock].
package reaper
