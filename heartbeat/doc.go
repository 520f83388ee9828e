// Package heartbeat proves that a run's wrapper lives, and judges from outside
// whether it does.
//
// # Two witnesses for two questions
//
// The lease (package runfile) says that the wrapper lives: the kernel frees it the
// instant the wrapper dies, and neither sleep nor a stop signal nor a broken
// ledger can take it away. The beat ([Beater]) says that the wrapper is awake
// and moving. [Judge] joins both:
//
//	lease held, beat fresh            live
//	lease held, beat old              late: stalled, never dead
//	lease held, suspended by ^Z       stopped
//	lease free, identity gone         gone, at once
//	lease free, identity unseen       gone, at once; without a file: when the beat is old
//	another boot of this machine      gone, at once
//	row has ended                     ended
//
// Ages are awake time of one boot. A night with the lid closed ages nothing,
// and no step of the wall clock can kill a run.
//
// # Lights and alarms
//
// What one look at a run found is a [Glimpse]. A [Watch] adds glimpses up, to what
// goes with the beat and to alarms: idle, stalled, running away. [LightsOf] reads
// from a row what its wrapper saw. All three are pure; who looks is the caller's
// business, in Config.Look, on the Beater's goroutine.
//
// # Sleep
//
// [Classify] tells from two clock readings what lay between them: a sleep, a
// stall, a step of the wall clock. A stall is never taken for a sleep, because
// sleep is measured and not guessed from a late timer.
//
// # States and goroutines
//
// A Beater is made by [New], runs from Start to Stop and does not start again.
// Start launches its only goroutine, Stop waits for it. That goroutine makes
// every call into the ledger and every callback of [Config]; a ledger that
// hangs holds up nothing else.
package heartbeat
