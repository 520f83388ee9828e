package activity

import "time"

// Change is what happened between two samples. The zero value is not known.
type Change struct {
	// CPU is the processor time used.
	CPU time.Duration
	// ReadBytes and WriteBytes were read and written.
	ReadBytes, WriteBytes int64
	// Over is the awake time it took; 0 when nothing is known.
	Over time.Duration
}

// Compare tells what happened between two samples that are that much awake time
// apart. It is the zero Change when there are not two samples or no time between
// them.
//
// What a process has buried moves to its parent, whole, together with what was seen
// of it before: that part is taken off again, as far as somebody in the sample has
// it.
func Compare(earlier, later Sample, over time.Duration) Change {
	if len(earlier.each) == 0 || len(later.each) == 0 || over <= 0 {
		return Change{}
	}
	c := Change{Over: over}
	var buried time.Duration
	for k, now := range later.each {
		before := earlier.each[k]
		c.CPU += max(now.cpu-before.cpu, 0)
		buried += max(now.buried-before.buried, 0)
		c.ReadBytes += max(now.read-before.read, 0)
		c.WriteBytes += max(now.write-before.write, 0)
	}
	var gone usage
	for k, before := range earlier.each {
		if _, lives := later.each[k]; !lives {
			gone.cpu += before.cpu + before.buried
			gone.read += before.read
			gone.write += before.write
		}
	}
	c.CPU += max(buried-gone.cpu, 0)
	c.ReadBytes = max(c.ReadBytes-gone.read, 0)
	c.WriteBytes = max(c.WriteBytes-gone.write, 0)
	return c
}

// CPUShare is the part of one processor that was in use: 0.25 is a quarter, 2 is two
// of them. 0 when nothing is known.
func (c Change) CPUShare() float64 {
	if c.Over <= 0 {
		return 0
	}
	return c.CPU.Seconds() / c.Over.Seconds()
}

// Doing says what processes are about.
type Doing uint8

const (
	// Unknown means that nobody has looked twice.
	Unknown Doing = iota
	// Idle means nothing, or no more than a program does that waits.
	Idle
	// CPU means computing.
	CPU
	// IO means reading or writing.
	IO
	// Both means both.
	Both
)

// String is the word for people.
func (d Doing) String() string {
	return [...]string{"unknown", "idle", "cpu", "io", "cpu and io"}[d]
}

// Thresholds of what counts as work. Agents that only wait, with a spinner on their
// screen, were seen to use 1 to 20 % of a processor and to write up to 30 kB a second
// to their terminal; tools that work use a processor or a disk whole.
const (
	// BusyShare is how much of one processor is computing.
	BusyShare = 0.25
	// BusyBytes is how many bytes a second, read or written, are work.
	BusyBytes = 64 << 10
)

// Doing says what the processes were about. drawn is how many of the written bytes
// are known to have gone to a terminal as a picture; 0 when nobody knows.
func (c Change) Doing(drawn int64) Doing {
	if c.Over <= 0 {
		return Unknown
	}
	moved := max(c.WriteBytes-drawn, c.ReadBytes)
	computes := c.CPUShare() >= BusyShare
	moves := float64(moved) >= BusyBytes*c.Over.Seconds()
	switch {
	case computes && moves:
		return Both
	case computes:
		return CPU
	case moves:
		return IO
	default:
		return Idle
	}
}
