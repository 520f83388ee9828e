// Command ocr-run runs a command and tells, afterwards, whether its work was
// finished.
//
// # How it is put together
//
//	main ── the only exit
//	  └─ run ── split: a verb, or a command to wrap?
//	       ├─ wrapping: wrapFlags ─► runOptions ─► wrap
//	       └─ a verb: verbs ─► call ─► one function per verb ─► exit code
//
// The arguments are taken apart before the flag library sees them, so that no
// word of a wrapped command is ever taken for ours. The library parses flags
// and nothing else; help, errors and exit codes are made here. Wrapping builds
// none of the verbs.
//
// Verbs that read never create a ledger and never change a run; they open the
// store in one place. Errors name the thing, the reason and the next step, and
// one function turns them into an exit code.
//
// # Goroutines
//
// This package starts none of its own. Following events waits on a timer and
// ends with its context.
package main
