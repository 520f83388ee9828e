// Package lifecycle holds the rules of ocr-run: the closed vocabularies, the
// phase graphs, and the one function that joins how a process ended with how
// far its work got.
//
// # What it promises
//
// Everything here is pure and total: no I/O, no clock, no SQL, no goroutine,
// no state. The same facts always give the same verdict, so history can be
// judged again by any later version and nothing derived is ever stored.
//
// # Two facts, joined only here
//
//	process end ──┐
//	workflow ─────┼──► Judge ──► outcome, cause
//	turn ─────────┤
//	evidence ─────┘
//
// Silence never upgrades: a workflow that cannot be read is unfinished work,
// and an exit code of 0 says nothing about the work. Terminal outcomes are
// absorbing: more facts of the same run can move an outcome away from success,
// never towards it.
//
// # Flows
//
// A flow is driven by its controller and settles by itself. [DecideFlow] says what
// a move does to it or why it is refused, [DueStep] what is due when a child has
// ended, [JudgeFlow] what it amounts to with its children. Nothing of a flow takes
// part in the outcome of a child.
//
// The lists in this package are the same lists as the CHECK constraints of the
// ledger; a test in package store holds the two together.
package lifecycle
