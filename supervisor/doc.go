// Package supervisor runs one execution, from launch to the facts a receipt is
// made of.
//
// # What it promises
//
// The command behaves as if run bare: its descriptors, its terminal, its
// signals, its exit. Nothing it does or leaves behind, and nothing that happens
// to the ledger or the terminal, keeps Run from returning; a disk only while it
// does not answer at all. The user's terminal is given back as it was found on
// every way out, even when the wrapper is killed with SIGKILL.
//
// # Three processes
//
//	wrapper   the process the user started. Relays between the user's terminal
//	          and the inner one, owns the ledger, the lease and the heartbeat.
//	monitor   this binary again (package monitor). Leads the inner session, is the
//	          command's parent and the subreaper of all it starts, holds a copy
//	          of the user's terminal to restore it. Opens no ledger. When the
//	          wrapper vanishes (end of file on the wire, no timer) it ends the
//	          run and writes the exit record.
//	command   in a process group of its own inside the monitor's session: a
//	          group whose parent lives in its session is not orphaned, which is
//	          what makes ^Z work.
//
// Without a monitor (Config.NoMonitor, PTYNever) the wrapper plays its part on
// a goroutine and the command lives on the user's own terminal.
//
// # A run
//
//	wait ──► begin ──► launch ──► attend ──► end
//	row        terminals   order      reports   drain, restore, leftovers,
//	heart      monitor     started    signals   terminal row
//	           row                    wants
//
// Only a run with a time before which it must not be launched waits. It stands
// announced then, and can be called off.
//
// # Goroutines of a wrapper
//
//	Run               the caller's; owns all state of the run
//	Conn.ReceiveAll   started by begin; ends with the wire, which end closes
//	Relay             started by begin; waited for by Relay.Finish in end. It takes the
//	                  user's terminal itself, before the first output or when launch
//	                  finds that the run lasts: run.front is its own until then
//	signals           started by the first signal that is asked for, in Catch, begin or
//	                  wait; lives as long as the process (package signals)
//	sift              started by Run; lives as long as the process
//	enterScope        started and waited for by startMonitor, with --scope
//	Beater, its Alarm started by startHeart; waited for by stopHeart in end. While the
//	and Wakes         run waits others, started and waited for by wait
//	scout             started by startHeart; waited for by stopHeart in end
//	wakefulness.ask   asks the system to stay awake, for a second at most, when a
//	                  turn opens; waited for in stopHeart
//	healer.slept      looks at connections for half a minute after a sleep; waited
//	                  for in stopHeart
//	run.speak         writes warnings from the first one on; waited for by nobody, for
//	                  a terminal may take no byte. Ends with the run, or the process
//	monitor.Inside    only without a monitor process; waited for in end
package supervisor
