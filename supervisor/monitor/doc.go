// Package monitor is the parent of one run: a process that leads the run's session
// and terminal, and looks after what the run leaves behind.
//
// # What it promises
//
// The command is started with exactly the descriptors, the environment and the
// terminal of its order, stands before its first instruction until it is recorded
// where the system can do that, and is in a control group of its own where one is to
// be had. Its end is taken in by its parent, written to the run's file and reported.
// When the wrapper vanishes (end of file on the wire, no timer) the user's terminal
// is given back, the run is ended, and its end is written down all the same.
//
// It opens no ledger, and is built on nothing that does: it is up before the
// packages of the rest of this program would be.
//
// # Whose process
//
//	Start    makes a process of this very binary, which is dispatched while its
//	         packages are set up. The wrapper reaps it.
//	Inside   plays the part on the caller's goroutine, where no process is wanted.
//
// # States
//
//	started ──► launched ──► held ──► running ◄──► suspended
//	                │           │         │
//	                └── failed ─┴─────────┴──► exited ──► finished
//
// # Goroutines
//
// One serves the run and owns everything. It starts one more, wire.Conn.ReceiveAll,
// which ends with the wire. In a process of its own everything up to letting the run go
// is done by the goroutine that sets up packages, which then starts the other and waits for
// it to end the process. Signals come by one more, of package signals.
package monitor
