package reaper

import (
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Look asks the system and the row how a run's wrapper is doing. One that was in
// another pid namespace is not looked for: its lease says enough.
func Look(e store.Execution, at heartbeat.Observer) heartbeat.Liveness {
	f := heartbeat.FactsOf(e)
	if !f.Over {
		f.Lease, f.Freed = leaseOf(e)
	}
	if !f.Over && f.Lease != heartbeat.Yes && (!f.Freed || isHere(e.Wrapper, at)) {
		f.Alive = aliveOf(e.Wrapper, at)
	}
	return heartbeat.Judge(f, at)
}

// place is where a process is, and whether it is.
type place struct {
	// pid is its pid here.
	pid   int
	alive heartbeat.Witness
}

// aliveOf asks whether a process still exists.
func aliveOf(id store.Identity, at heartbeat.Observer) heartbeat.Witness {
	return whereIs(id, at).alive
}

// whereIs finds a process.
func whereIs(id store.Identity, at heartbeat.Observer) place {
	return locate(at, id, proc.Process{PID: id.PID, Start: id.StartTicks})[0]
}

// locate finds processes with the machine, boot and pid namespace of an identity. The
// question makes sense only in their boot. In another pid namespace it takes one look
// at all processes, and the answer is Unknown where some may be hidden.
func locate(at heartbeat.Observer, in store.Identity, all ...proc.Process) []place {
	places := make([]place, len(all))
	if isHere(in, at) {
		for i, p := range all {
			if places[i] = (place{0, heartbeat.No}); proc.Alive(p.PID, p.Start) {
				places[i] = place{p.PID, heartbeat.Yes}
			}
		}
		return places
	}
	own := proc.PIDNamespace()
	if in.PID == 0 || in.BootID == "" || in.BootID != at.Now.BootID || in.PIDNamespace == 0 || in.PIDNamespace == own {
		return places
	}
	here, certain := proc.Locate(in.PIDNamespace, all...)
	for i, p := range all {
		switch {
		case here[i] != 0:
			places[i] = place{here[i], heartbeat.Yes}
		case certain && p.Start != 0:
			places[i].alive = heartbeat.No
		}
	}
	return places
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
