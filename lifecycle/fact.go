package lifecycle

// Instant is one moment on all clocks that are kept.
type Instant struct {
	// WallMS is wall-clock UTC milliseconds since 1970.
	WallMS int64 `json:"wall_ms"`
	// AwakeMS is awake time in milliseconds since boot; it stands still while
	// the machine sleeps and can be compared within one boot.
	AwakeMS int64 `json:"awake_ms"`
	// BootID names the boot AwakeMS counts from.
	BootID string `json:"boot_id"`
}

// Leftover is a process that outlived its execution.
type Leftover struct {
	PID        int    `json:"pid"`
	StartTicks uint64 `json:"start"`
	Command    string `json:"command"`
	// Signal is what ended it, empty when it still lives.
	Signal string `json:"signal,omitempty"`
	// Reason says why it was kept or could not be stopped.
	Reason string `json:"reason,omitempty"`
}

// Leftovers groups them by what became of them.
type Leftovers struct {
	Stopped   []Leftover `json:"stopped"`
	Kept      []Leftover `json:"kept"`
	Remaining []Leftover `json:"remaining"`
}

// None says whether nothing outlived the execution.
func (l Leftovers) None() bool {
	return len(l.Stopped) == 0 && len(l.Kept) == 0 && len(l.Remaining) == 0
}

// Same says whether two leftovers are one process.
func (l Leftover) Same(o Leftover) bool { return l.PID == o.PID && l.StartTicks == o.StartTicks }
