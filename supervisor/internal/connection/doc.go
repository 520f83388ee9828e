// Package connection looks at the TCP connections of other processes: whether what
// they sent was received, and, when it certainly is not going to be, makes them
// notice.
//
// # What it promises
//
// Only silence where an answer is due proves anything. A connection on which
// nothing of ours waits for an acknowledgement is [Quiet] and may be alive or dead.
// One whose peer has closed its window but whose system still answers is [Blocked],
// however long that lasts. [Dead] means that data, or the kernel's own probes, were
// sent several times over and that for the whole time between two looks the peer's
// system acknowledged nothing at all.
//
//	           something waits          sent again          no answer for long
//	Quiet ◄──────────────────► Sending ──────────► Retrying ──────────────────► Dead
//	  ▲                          │  ▲                  │
//	  │       window closed      ▼  └──────────────────┘ any acknowledgement
//	  └───────────────────── Blocked
//
// Loopback counts like any other network: what listens there may be the way out.
//
// All times are awake time, as the kernel counts them too: a night with the lid
// closed makes no connection dead.
//
// # How
//
// The kernel lists its TCP sockets through netlink, without privileges, and the
// descriptors of a process tell which are its own. Only the network namespace of
// the caller is seen. [Shut] and [Ask] borrow the socket itself for a moment, as a
// debugger may, and compare the kernel's name for it before they touch it, so that
// they never hit another one. Nothing is kept open.
//
// macOS shows none of this to a program without privileges: there every function
// says so.
//
// # Goroutines
//
// None. Everything runs on the caller's, bounded in time and number.
package connection
