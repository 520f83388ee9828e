package reaper

import (
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Look asks the system and the row how a run's wrapper is doing.
func Look(e store.Execution, at heartbeat.Observer) heartbeat.Liveness {
	f := heartbeat.FactsOf(e)
	if !f.Over {
		f.Lease, f.Freed = leaseOf(e)
	}
	if !f.Over && f.Lease != heartbeat.Yes {
		f.Alive = aliveOf(e.Wrapper, at)
	}
	return heartbeat.Judge(f, at)
}

// aliveOf asks whether a process still exists.
func aliveOf(id store.Identity, at heartbeat.Observer) heartbeat.Witness {
	_, alive := locate(id, at)
	return alive
}

// locate finds a process and tells which pid it has here. The question makes sense
// only in its boot. From another pid namespace it takes a look at all processes, and
// the answer is Unknown where that one may be hidden.
func locate(id store.Identity, at heartbeat.Observer) (pid int, alive heartbeat.Witness) {
	switch own := proc.PIDNamespace(); {
	case isHere(id, at) && proc.Alive(id.PID, id.StartTicks):
		return id.PID, heartbeat.Yes
	case isHere(id, at):
		return 0, heartbeat.No
	case id.PID == 0 || id.BootID == "" || id.BootID != at.Now.BootID,
		id.PIDNamespace == 0 || id.PIDNamespace == own, id.StartTicks == 0:
		return 0, heartbeat.Unknown
	}
	switch pid, certain := proc.Locate(id.PIDNamespace, id.PID, id.StartTicks); {
	case pid != 0:
		return pid, heartbeat.Yes
	case certain:
		return 0, heartbeat.No
	default:
		return 0, heartbeat.Unknown
	}
}

// leaseOf asks whether the run's lease is held, and whether there is one that was
// let go of.
func leaseOf(e store.Execution) (lease heartbeat.Witness, freed bool) {
	if e.RunFile == "" {
		return heartbeat.Unknown, false
	}
	there, held, err := runfile.Probe(e.RunFile)
	switch {
	case err != nil:
		return heartbeat.Unknown, false
	case held:
		return heartbeat.Yes, false
	default:
		return heartbeat.No, there
	}
}
