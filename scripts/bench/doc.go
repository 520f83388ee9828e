// Command bench measures ocr-run beside the tools people already put in front
// of a command: sudo, script, tini, dumb-init and the shortest copy loops that
// can be written in C and in Go.
//
// Numbers of one tool mean little on a shared machine, so everything is a
// ratio between tools that ran in the same minute: rounds are interleaved, the
// order inside a round is random, and the median is what is compared. A number
// over its target is printed as "over" and nothing else happens; the command
// fails only when it could not measure.
//
// The bench adopts every orphan below it (on Linux, as a subreaper), so that
// after each measurement it can name what a tool left behind, and remove it.
//
// Goroutines: one per open terminal drains it, started by start and waited for
// by wait. Everything else is one sequence.
//
// Run it from inside the module:
//
//	go run ./scripts/bench -ocr-run PATH [-quick] [-only NAME,…] [-md FILE] [-json]
package main
