package doctor

import (
	"fmt"
	"time"
)

// Bounds of what a clock may do.
const (
	// clockStep is how far wall clock and awake clock may drift apart between two
	// looks: no adjustment that spares programs goes faster.
	clockStep = 250 * time.Millisecond
	// clockBehind is how far in the future a file may have been written.
	clockBehind = 2 * time.Minute
)

// judgeClock: ages are judged by awake time and told in wall time.
func judgeClock(f Facts) []Finding {
	c := f.Clocks
	if c.Wall.IsZero() {
		return nil
	}
	const mend = "timedatectl   # or: date"
	step := c.WallMoved - c.AwakeMoved - c.SuspendedMoved
	switch {
	case c.Awake <= 0 || c.AwakeMoved < 0:
		return []Finding{one(CheckClock, Error, "clocks", "", "the clock that counts awake time does not move: no run can be judged")}
	case c.Newest.Sub(c.Wall) > clockBehind:
		return []Finding{one(CheckClock, Warn, "clocks", mend, "it is %s here, and %s was written %s later", c.Wall.UTC().Format(time.RFC3339), c.NewestWhat,
			span(c.Newest.Sub(c.Wall)))}
	case step.Abs() > clockStep:
		return []Finding{one(CheckClock, Warn, "clocks", mend, "the wall clock was set by %s while it was looked at", step.Round(time.Millisecond))}
	}
	asleep := "it has not slept since"
	if c.Suspended >= time.Second {
		asleep = "and asleep for " + span(c.Suspended) + " of it"
	}
	return []Finding{ok(CheckClock, "clocks", "awake for %s since the boot, %s", span(c.Awake), asleep)}
}

// span is a length of time to the second or the minute.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	}
}

// judgeBoot: without the name of the boot, no process can be known again.
func judgeBoot(f Facts) []Finding {
	switch {
	case f.Machine.BootTrouble != "":
		return []Finding{one(CheckBoot, Error, "boot id", "mount -t proc proc /proc", "it cannot be read, so no dead wrapper is recognised: %s", f.Machine.BootTrouble)}
	case f.Machine.BootID == "":
		return nil
	default:
		return []Finding{ok(CheckBoot, "boot id", "%s", f.Machine.BootID)}
	}
}

// judgeMachine: the name tells machines apart that share a ledger.
func judgeMachine(f Facts) []Finding {
	m := f.Machine
	switch {
	case m.MachineID != "":
		return []Finding{ok(CheckMachine, "machine id", "this machine has one")}
	case f.Kernel.System != "linux":
		return []Finding{ok(CheckMachine, "machine id", "this system tells none; only machines that share a ledger need one")}
	case f.State.Remote:
		return []Finding{one(CheckMachine, Warn, "machine id", "sudo systemd-machine-id-setup",
			"this machine has none, and its ledger is shared by network: runs of other machines may be taken for ours")}
	default:
		return []Finding{one(CheckMachine, Note, "machine id", "sudo systemd-machine-id-setup", "this machine has none; only machines that share a ledger need one")}
	}
}

// judgeNamespace: processes outside of our pid namespace cannot be seen.
func judgeNamespace(f Facts) []Finding {
	m := f.Machine
	where := m.Container
	if where == "" {
		where = "a pid namespace of its own"
	}
	switch {
	case m.Namespace == 0:
		return nil
	case m.Own:
		return []Finding{one(CheckNamespace, Note, "pid namespace", "", "%d, in %s: what runs outside of it is neither seen nor stopped from here", m.Namespace, where)}
	case m.Container != "":
		return []Finding{ok(CheckNamespace, "pid namespace", "that of the machine, in %s", m.Container)}
	default:
		return []Finding{ok(CheckNamespace, "pid namespace", "that of the machine")}
	}
}

// judgeTerminal: what is a terminal is a terminal for the command, too.
func judgeTerminal(f Facts) []Finding {
	t := f.Terminal
	names := []string{}
	for i, is := range t.Is {
		if is {
			names = append(names, []string{"stdin", "stdout", "stderr"}[i])
		}
	}
	if t.NoneWhy != "" {
		severity := Warn
		if len(names) == 0 {
			severity = Note
		}
		return []Finding{one(CheckTerminal, severity, "/dev/ptmx", "sudo mount -t devpts devpts /dev/pts, or ocr-run --pty never",
			"no terminal can be had for a command: %s", t.NoneWhy)}
	}
	if len(names) == 0 {
		return []Finding{ok(CheckTerminal, "stdin, stdout, stderr", "none is a terminal: a command gets them as they are")}
	}
	switch looked := listed(names); {
	case t.Columns == 0 || t.Rows == 0:
		return []Finding{one(CheckTerminal, Note, looked, "stty rows 24 cols 80", "a terminal of no size")}
	case t.Term == "":
		return []Finding{one(CheckTerminal, Note, looked, "export TERM=xterm-256color", "a terminal of %d columns and %d rows, and TERM is not set", t.Columns, t.Rows)}
	default:
		return []Finding{ok(CheckTerminal, looked, "a terminal of %d columns and %d rows, TERM=%s", t.Columns, t.Rows, t.Term)}
	}
}
