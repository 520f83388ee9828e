package main

import (
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/reaper/proc/activity"
	"github.com/ocr-run/ocr-run/store"
)

// lightsView are the lights of a row as the JSON contract shows them, nil for a run
// that has ended.
func lightsView(e store.Execution, l heartbeat.Lights, o heartbeat.Observer) *render.Lights {
	if e.Process.End.Over() {
		return nil
	}
	// A hook's word that the agent waits for its user stands in the row at once, and
	// goes at once: no look is waited for.
	if l.Beating.Lit == heartbeat.Yes && awaitsUserMS(e) != 0 {
		l.Activity = heartbeat.ActivityWaiting
	}
	return &render.Lights{
		Activity: string(l.Activity), Beating: lightView(l.Beating), Processes: lightView(l.Busy), Output: lightView(l.Growing),
		Turn: lightView(l.Advancing), LimitedUntil: render.TimeOrNull(l.LimitedUntilMS), DeadConnection: render.OrNull(l.Dead),
		Usage: usageOf(e.Launch, o),
	}
}

// lightView is one light.
func lightView(l heartbeat.Light) render.Light {
	var v render.Light
	if l.Lit != heartbeat.Unknown {
		v.Lit = new(l.Lit == heartbeat.Yes)
	}
	if l.Quiet >= 0 && l.Lit != heartbeat.Unknown {
		v.QuietMS = new(l.Quiet.Milliseconds())
	}
	return v
}

// usageOf looks at the processes of a run, nil when they cannot be seen from here.
func usageOf(l store.Launch, o heartbeat.Observer) *render.Usage {
	ns := proc.PIDNamespace()
	if l.Monitor.PID == 0 || l.Monitor.BootID != o.Now.BootID || l.Monitor.PIDNamespace != ns || !proc.Alive(l.Monitor.PID, l.Monitor.StartTicks) {
		return nil
	}
	all, err := proc.Descendants(l.Monitor.PID)
	if err != nil {
		return nil
	}
	pids := make([]int, 0, len(all))
	for _, p := range all {
		pids = append(pids, p.PID)
	}
	s := activity.Take(pids)
	if s.Processes == 0 {
		return nil
	}
	return &render.Usage{Processes: s.Processes, CPUMS: s.CPU.Milliseconds(), MemoryBytes: s.Resident}
}
