package reaper

import (
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// survivors names what still lives of a run nobody looked after to its end: its
// command, and what the last beat listed below it. Each is known by its exact
// identity. What was started after that beat, or was no longer below the command
// by then, is not known. The pids are those of the run's own namespace.
func survivors(e store.Execution, at heartbeat.Observer) (left []store.Leftover) {
	all := []store.Descendant{{PID: e.Launch.Child.PID, StartTicks: e.Launch.Child.StartTicks}}
	for _, d := range e.Descendants {
		if d.PID != all[0].PID {
			all = append(all, d)
		}
	}
	for _, l := range e.Leftovers.Remaining {
		all = append(all, store.Descendant{PID: l.PID, StartTicks: l.StartTicks, Name: l.Command})
	}
	wanted := make([]proc.Process, len(all))
	for i, d := range all {
		wanted[i] = proc.Process{PID: d.PID, Start: d.StartTicks}
	}
	for i, at := range locate(at, e.Launch.Child, wanted...) {
		if at.pid == 0 {
			continue
		}
		d := all[i]
		line, err := proc.CommandLine(at.pid)
		if err != nil || line == "" {
			line = d.Name
		}
		left = append(left, store.Leftover{
			PID: d.PID, StartTicks: d.StartTicks, Command: line, Reason: "outlived its wrapper and its monitor",
		})
	}
	return left
}
