package proc

import "syscall"

// Report is what became of the processes a stop found.
type Report struct {
	// Stopped were signalled and are gone.
	Stopped []Stopped
	// Kept were spared on purpose.
	Kept []Kept
	// Remaining still lived at the end.
	Remaining []Remaining
	// Err is why the last census failed; nil when it did not. With an error
	// Remaining holds whoever was last seen alive.
	Err error
}

// Stopped is a process that was ended.
type Stopped struct {
	Process Process
	// Command is its command line when it was first seen.
	Command string
	// Signal is the last one it was sent.
	Signal syscall.Signal
}

// Kept is a process that was spared.
type Kept struct {
	Process Process
	Command string
	// Reason is what the Keep function said of it or of the ancestor it was
	// spared with.
	Reason string
}

// Remaining is a process that could not be ended.
type Remaining struct {
	Process Process
	Command string
	// Reason is what stands in the way, as far as is known.
	Reason string
}
