// Command drill proves what `ocr-run reap` promises: it starts runs that leave
// behind everything a program can leave behind, has each of them die in a way of
// its own, sweeps once, and counts.
//
//	bystanders ─► runs ─► deaths ─► recycled pids ─► reap ─► count ─► reap ─► count
//
// Of what the runs started nothing may be alive afterwards. Of the bystanders all
// must be, untouched: some look like a run's, some carry copies of its environment,
// some have the very pids that the ledger remembers. No row may be open, and a
// second sweep must find nothing to do.
//
// A scenario is the same drill under other conditions: a busy machine, few file
// descriptors, an unprivileged user, no control groups. The seed that all choices
// come from is printed and can be given.
//
// What is ours is known by its arguments, which no process here changes: each
// carries the tag of its run, or of the bystanders. Nothing else is signalled by
// the drill itself.
//
// Goroutines: one for each run, waited for before the sweep; one that drains each
// terminal, which ends with it.
//
// Run it from inside the module, on Linux, as root for all of it:
//
//	go run ./scripts/drill -ocr-run PATH [-runs N] [-bystanders N] [-seed N] [-recycle] [-scenario NAME,…]
package main
