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
		f.Lease, f.Alive = leaseOf(e), aliveOf(e.Wrapper, at)
	}
	return heartbeat.Judge(f, at)
}

// aliveOf asks whether a process still exists. The question makes sense only
// on its machine, in its boot and in its pid namespace.
func aliveOf(id store.Identity, at heartbeat.Observer) heartbeat.Witness {
	switch {
	case !isHere(id, at):
		return heartbeat.Unknown
	case proc.Alive(id.PID, id.StartTicks):
		return heartbeat.Yes
	default:
		return heartbeat.No
	}
}

// leaseOf asks whether the run's lease is held.
func leaseOf(e store.Execution) heartbeat.Witness {
	if e.RunFile == "" {
		return heartbeat.Unknown
	}
	held, err := runfile.Held(e.RunFile)
	switch {
	case err != nil:
		return heartbeat.Unknown
	case held:
		return heartbeat.Yes
	default:
		return heartbeat.No
	}
}
