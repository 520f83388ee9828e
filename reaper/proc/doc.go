// Package proc reads the process table, names processes for ever, and stops
// them without ever hitting a stranger.
//
// # What it promises
//
// A process is named by its pid and the kernel's own start time, never by the
// pid alone. [Signal] compares the two through a handle that cannot be handed
// to another process in between (Linux), or as close to the signal as the
// system allows (macOS). A zombie counts as dead everywhere.
//
// Readers take what the kernel shows at that moment. A table that changes while
// it is read may miss a process that was just being moved in it; callers that
// must be sure look until two passes agree, as [StopUntilQuiet] does.
//
// # Stopping
//
//	census ─► nobody: done, one call
//	   │
//	first signal to all ─► wait, looking ─► all gone: look again, done
//	                            │ grace over, or ctx ended
//	                    STOP all, until no new one appears   ◄─┐
//	                    KILL all                               │ somebody lives
//	                    look again ────────────────────────────┘
//	                            │ two quiet passes, or the bound
//	                          report
//
// # Goroutines
//
// None. Everything runs on the caller's.
//
// It is a leaf: it imports nothing of this project, forks nothing, and asks no
// library for identities.
package proc
