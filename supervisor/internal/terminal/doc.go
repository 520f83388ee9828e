// Package terminal is everything ocr-run does to a terminal: the user's own
// (TTY), the inner one a run lives on (Pair), and the bytes between the two
// (Relay).
//
// # What it promises
//
// The user's terminal is never left in another state than it was found: every
// change to it is undone by Restore, which may be called at any time, twice,
// and from a process of another session. Not one byte between the two
// terminals is changed, dropped or reordered while both ends are there.
//
// # Who runs what
//
//	Relay.Start starts one goroutine, which lives in poll(2) and moves bytes
//	both ways; Relay.Close (or Finish, which drains first) waits for it.
//	Everything else is a plain call.
//
// # States of a relay
//
//	off ── Start ──► running ◄── Park / Unpark ──► parked
//	                    │
//	                    └── Finish ──► draining ──► off
//
// Nothing here knows a database, an agent or a clock: time enters as bounds.
package terminal
