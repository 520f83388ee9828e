package supervisor

import (
	"sync/atomic"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/reaper/proc/activity"
	"github.com/ocr-run/ocr-run/store"
)

// burningShare is how much of one processor an agent keeps busy that is said to
// burn it. Spinners and screens take a few hundredths.
const burningShare = 0.8

// passing counts what a run writes on its way through the wrapper.
type passing struct {
	lines atomic.Int64 // line feeds to the terminal
	bytes atomic.Int64 // to redirected descriptors
}

// watch looks after a run, once per beat, on the heart's goroutine. After the heart
// has stopped it belongs to Run.
type watch struct {
	cfg Watching
	// agent: the command is an agent that is known.
	agent   bool
	monitor int // the process all of the run is below
	command int // the command's own
	// moved counts the bytes to and from the terminal; nil without one. passed
	// counts the lines, and bytes elsewhere; nil where nothing passes.
	moved  func() (output, input int64)
	passed *passing
	// activity is when bytes last passed the terminal, in wall milliseconds; nil
	// without one.
	activity func() int64
	// tell hands over to Run what it has to act on.
	tell  func(concern)
	rules *heartbeat.Watch
	// interval is the time between looks.
	interval time.Duration
	conns    connections
	awake    *wakefulness
	heal     *healer

	last   clock.Reading
	census []proc.Process
	// own are the agent's own processes, each with the start that makes its pid
	// unique: those that lived at the first look. Others are its tools.
	own        map[int]uint64
	all, tools activity.Sample // of everybody, and of the tools, at the last look

	drawn, typed, lines, bytes int64
	prog                       Progress
	heard, before              store.BeatAnswer // to the last two beats
}

// concern is what a look found that Run has to act on.
type concern struct {
	alarm heartbeat.Alarm
	// dead names a connection that was found dead.
	dead string
	// healed names connections that were shut down after a sleep.
	healed []string
	// asleep is why the machine cannot be kept awake.
	asleep error
	// lasted is for how long it has been so, in awake time.
	lasted time.Duration
}

// look takes one look and returns what readers are told of it.
func (w *watch) look(now clock.Reading) *store.Vitals {
	over := now.Awake - w.last.Awake
	w.takeCensus()
	g := heartbeat.Glimpse{At: now.Awake}
	w.lookAtProcesses(&g, over)
	w.lookAtOutput(&g)
	w.lookAtTurn(&g, now)
	w.lookAtConnections(&g, now)
	w.last = now
	if alarm := w.rules.Take(g); alarm != heartbeat.AlarmNone {
		w.tell(concern{alarm: alarm, lasted: w.rules.For(alarm)})
	}
	w.awake.want(w.cfg.StayAwake && g.Turn != heartbeat.No)
	return w.rules.Vitals()
}

// lookAtConnections looks for a dead one where it could be why nothing goes on. That
// costs more than all else together, and most looks find that something does, or that
// nothing is meant to. A sleep, however, comes unannounced.
func (w *watch) lookAtConnections(g *heartbeat.Glimpse, now clock.Reading) {
	if !w.agent {
		return
	}
	w.heal.slept(w.conns.latest, w.pids(), now.Suspended-w.last.Suspended)
	if w.heal == nil && (g.Turn == heartbeat.No || g.Grew == heartbeat.Yes) {
		w.conns.pass()
		return
	}
	g.Receives, g.Dead = w.conns.look(w.pids(), now)
}

// recovered says whether the run went on after a moment, and not only at its end:
// the word that it failed looks like news, too.
func (w *watch) recovered(since, end time.Duration) bool {
	v := w.rules.Vitals()
	if v == nil {
		return false
	}
	margin := (2 * w.interval).Milliseconds()
	after := func(moment *int64) bool {
		return moment != nil && *moment > since.Milliseconds() && end.Milliseconds()-*moment > margin
	}
	return after(v.GrewMS) || after(v.AdvancedMS)
}

// hear takes in the answer to a beat: it knows of turns that hooks report, and of
// workflows.
func (w *watch) hear(a store.BeatAnswer) {
	w.heard = a
	if w.cfg.Heard != nil {
		w.cfg.Heard(a)
	}
}

// takeCensus lists the run's processes. When that cannot be read, because the
// monitor is gone, the last list stands.
func (w *watch) takeCensus() {
	if all, err := living(w.monitor); err == nil {
		w.census = all
	}
}

// pids are the run's processes.
func (w *watch) pids() []int {
	pids := make([]int, 0, len(w.census))
	for _, p := range w.census {
		pids = append(pids, p.PID)
	}
	return pids
}

// descendants is the census as the ledger keeps it.
func (w *watch) descendants() []store.Descendant { return asDescendants(w.census) }

// lookAtProcesses tells what the agent does itself from what its tools do.
func (w *watch) lookAtProcesses(g *heartbeat.Glimpse, over time.Duration) {
	first := w.own == nil
	if first && len(w.census) > 0 {
		w.own = make(map[int]uint64, len(w.census))
		for _, p := range w.census {
			w.own[p.PID] = p.Start
		}
	}
	var started []int
	for _, p := range w.census {
		g.Halted = g.Halted || p.PID == w.command && p.Stopped()
		if w.own[p.PID] != p.Start {
			started = append(started, p.PID)
			g.Background = g.Background || p.SID != w.census[0].SID
		}
	}
	all, tools := activity.Take(w.pids()), activity.Take(started)
	if !first {
		did, theirs := activity.Compare(w.all, all, over), activity.Compare(w.tools, tools, over)
		g.Tools = works(theirs, 0)
		g.Busy = witness(g.Tools || works(did, w.drawnSince()))
		g.Burning = did.CPUShare()-theirs.CPUShare() >= burningShare
	}
	w.all, w.tools = all, tools
}

// works says whether processes used the processor or did I/O.
func works(c activity.Change, drawn int64) bool {
	switch c.Doing(drawn) {
	case activity.CPU, activity.IO, activity.Both:
		return true
	case activity.Unknown, activity.Idle:
	}
	return false
}

// drawnSince is how much was written to the terminal since it was last asked.
func (w *watch) drawnSince() int64 {
	if w.moved == nil {
		return 0
	}
	output, _ := w.moved()
	drawn := output - w.drawn
	w.drawn = output
	return drawn
}

// lookAtOutput finds out whether output or record grew, and whether anything was
// typed. What goes by the wrapper is seen by nobody.
func (w *watch) lookAtOutput(g *heartbeat.Glimpse) {
	if w.moved != nil {
		_, typed := w.moved()
		g.Typed = typed != w.typed
		w.typed = typed
	}
	prog := Progress{}
	if w.cfg.Progress != nil {
		prog = w.cfg.Progress()
	}
	lines, bytes := w.passed.lines.Load(), w.passed.bytes.Load()
	switch {
	case prog.Sees:
		g.Grew = witness(prog.Grown != w.prog.Grown)
	case w.moved != nil || bytes > 0:
		g.Grew = witness(lines != w.lines || bytes != w.bytes)
	}
	g.Advanced = w.advanced(prog)
	w.lines, w.bytes, w.prog = lines, bytes, prog
	g.Waiting, g.Asks, g.Spinning = prog.Waiting, w.asks(), prog.Runaway
}

// asks says whether the agent said that it waits for its user. That it goes on nobody
// says; its terminal shows it, to the precision of a beat or two.
func (w *watch) asks() bool {
	since := w.heard.AwaitsUserMS
	return since != 0 && (w.activity == nil || w.activity() <= since+2*w.interval.Milliseconds())
}

// advanced says whether a turn or a workflow moved on, as the agent tells, or the
// ledger. It is Unknown where neither knows of any.
func (w *watch) advanced(prog Progress) heartbeat.Witness {
	known := prog.Steps > 0 || w.heard.Session != "" || w.heard.Revision > 0
	moved := prog.Steps != w.prog.Steps || w.heard.SessionAtMS != w.before.SessionAtMS || w.heard.Revision != w.before.Revision
	w.before = w.heard
	if !known {
		return heartbeat.Unknown
	}
	return witness(moved)
}

// lookAtTurn finds out whether a turn is open. What the agent tells itself is newer
// than what the ledger was told; that it should have one at all is but a guess.
func (w *watch) lookAtTurn(g *heartbeat.Glimpse, now clock.Reading) {
	switch turn := w.prog.Turn; {
	case turn == "" && w.heard.Session == "":
		g.Turn = heartbeat.Unknown
	case turn == "", turn == turnExpected && w.heard.Session != "":
		g.Turn = witness(w.heard.TurnOpen)
	default:
		g.Turn = witness(!turn.Settled())
	}
	g.LimitedUntilMS = w.prog.LimitedUntilMS
	g.Limited = g.LimitedUntilMS > now.Wall.UnixMilli()
}

// witness is a plain answer.
func witness(yes bool) heartbeat.Witness {
	if yes {
		return heartbeat.Yes
	}
	return heartbeat.No
}
