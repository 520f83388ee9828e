package supervisor

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
	"github.com/ocr-run/ocr-run/supervisor/internal/screen"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// shortRun is how long a command may take and still be called short: several
// times what starting a small program takes, and far less than anybody notices.
const shortRun = 3 * time.Millisecond

// settleTime is how long a command must run before we make ourselves small for it:
// the first beat is over by then.
const settleTime = 2 * time.Second

// run is one execution from launch to end. Its fields belong to the goroutine
// of Run, those marked otherwise excepted.
type run struct {
	cfg     Config
	plan    plan
	tty     *terminal.TTY  // nil without a controlling terminal
	pair    *terminal.Pair // nil without an inner terminal
	relay   *terminal.Relay
	relayed bool // the relay was started
	wire    *wire.Conn
	monitor int            // pid of the monitor, or of ourselves
	inside  sync.WaitGroup // the monitor's part, without a monitor process
	// recording writes the row: prepared tells it whether there will be a command
	// to let go of, and recorded is closed when the row is written or given up.
	recording sync.WaitGroup
	prepared  chan bool
	recorded  chan struct{}
	// decided: the command is let go of, or its launch called off, whichever came first.
	decided atomic.Bool
	reports chan wire.Message // see listen
	// listening: the reports go there.
	listening bool
	over      chan struct{}  // closed when Run no longer takes reports
	incoming  chan os.Signal // what is caught
	sigs      chan os.Signal // what is to be acted on, see sift
	ignored   []os.Signal    // see catchIgnored
	cont      chan os.Signal
	gone      chan struct{} // the user's terminal is gone
	wants     chan heartbeat.Answer
	concerns  chan concern
	warnings  chan string   // nil before the first, see say
	speaking  chan struct{} // has a token while a warning is written, or none may be

	announced  store.Announcement
	launched   store.Launch
	generation int64
	inLedger   bool
	runFile    *runfile.File
	syncing    sync.WaitGroup // of the run file
	heart      *heartbeat.Beater
	scout      atomic.Pointer[scout] // nil before there is a heart
	watch      *watch
	passed     passing
	wakes      *clock.Wakes
	alarm      *clock.Alarm // nil where package time has to do
	began      clock.Reading
	released   clock.Reading // when the command was let go of, at the earliest; set before recorded
	starved    int64         // memoryKills when the run began; below 0 when that is not known

	// front: we are in front and the terminal is raw. It is the relay's to say until it
	// has begun.
	front     bool
	wantFront bool // the run is to be in front whenever we are
	suspended bool // the run is stopped by job control
	// hungReader: the run was hung up for wanting a terminal that it cannot have.
	hungReader bool
	// toldAt is the awake time at which we were last told to stop by job control, 0 for never.
	toldAt time.Duration
	exit   wire.ExitReport
	exitAt clock.Reading // when the command ended
	hurry  chan struct{} // see urgent
	// insisted is closed when somebody asks once more after that.
	insisted chan struct{}
	late     chan os.Signal // see Result.Late
	// hurriedBy is the first signal that asked for the end after it, 0 for none.
	hurriedBy atomic.Int64
	lostTTY   bool // the terminal is known to be gone
	// launchWritten: the journal has the launch.
	launchWritten bool
	// unsettled: the monitor was left at what the run has left behind.
	unsettled bool
	// dismissed: the monitor has been told to end.
	dismissed bool
	// brief: the command was over as soon as it had begun.
	brief     bool
	launchErr error
	stop      stopState
	// asked: the ledger's wish began the stop, and whoever wished it is about to wake us.
	asked    atomic.Bool
	together bool // see Result.Keyed
	evidence []lifecycle.Evidence
	left     store.Leftovers

	// modes belongs to the relay's goroutine until the relay is over; reset is
	// what it last asked to be undone.
	modes     screen.Modes
	modesSeen int
	// interrupted is the awake time of the last interrupt typed at the run, in
	// nanoseconds; 0 for never.
	interrupted atomic.Int64
	// pressed is the same of the last such key, whatever the run makes of it.
	pressed atomic.Int64
	// keyed is the same of the last key that a program may be left with.
	keyed atomic.Int64
	// helper is a child of the wrapper that is none of the run's; 0 without one.
	helper     atomic.Int64
	tapMu      sync.Mutex // one at a time at Config.Tap
	passages   [3]*passage
	diverted   *passage   // from the inner terminal to a standard output that is none
	carrying   bool       // something carries what is in the passages
	terminalMu sync.Mutex // guards what the monitor is told of the terminal
	told       wire.TerminalState
}

// Run launches the command, watches it to its end and writes everything down. A
// command that could not be launched, whoever's fault that is, is a result too.
func Run(ctx context.Context, cfg Config) Result {
	Deepen()
	signals.KeepIgnored(entry.Ignored())
	r := &run{
		cfg: cfg, starved: -1, over: make(chan struct{}), reports: make(chan wire.Message),
		incoming: cfg.Signals, sigs: make(chan os.Signal, signalsMost), cont: make(chan os.Signal, 1),
		gone: make(chan struct{}, 1), wants: make(chan heartbeat.Answer, 4),
		prepared: make(chan bool, 1), recorded: make(chan struct{}),
		concerns: make(chan concern, 4),
	}
	if r.incoming == nil {
		r.incoming = make(chan os.Signal, signalsMost)
	}
	go sift(cfg.Clock, r.incoming, r.sigs)
	if !r.wait(ctx) {
		r.launchErr = errCalledOff
	} else if err := r.begin(ctx); err != nil {
		r.launchErr = &ownError{err}
	}
	if r.launch(ctx) {
		life, over := context.WithCancel(ctx)
		r.attend(life)
		over()
	}
	return r.end(ctx)
}

// begin prepares everything that must exist before the command runs: its terminal
// and its monitor. Its row is written while they come up.
func (r *run) begin(ctx context.Context) (err error) {
	r.began = r.cfg.Clock.Now()
	r.recording.Go(func() { r.record(ctx) })
	defer func() {
		ready := err == nil && r.launchErr == nil
		r.prepared <- ready
		if !ready {
			<-r.recorded
		}
	}()
	if r.cfg.Missing != nil {
		r.launchErr = r.cfg.Missing
		return nil
	}
	if err := r.openTerminals(); err != nil {
		return fmt.Errorf("prepare terminal: %w", err)
	}
	// Before anything is started that we would leave behind. Signals are let go of by
	// nobody: a run lasts as long as its process.
	signals.Catch(r.incoming, caught())
	signals.Take(r.cont, unix.SIGCONT)
	err = r.startMonitor(ctx)
	if r.stop.by != lifecycle.StoppedByNobody || r.unwanted(ctx) {
		r.launchErr = errCalledOff // it may have been what failed that, too
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.prepare(); err != nil {
		return r.stillborn(err)
	}
	r.catchIgnored()
	// Here, where we would only wait for the row: the way through another thread was
	// measured to cost more than the file. Without one the run goes on.
	if r.cfg.StateDir != "" && r.runFile == nil {
		r.takeLease()
	}
	return nil
}

// prepare has the monitor make the command ready, and the terminal with it.
func (r *run) prepare() error {
	r.wantFront = r.plan.front
	if r.relay != nil {
		r.relay.Start(r.tty != nil && r.tty.EndsLines())
		r.relayed = true
	}
	argv := r.cfg.Argv
	if argv == nil {
		argv = r.cfg.Command
	}
	return r.wire.Send(wire.MsgLaunch, wire.LaunchOrder{
		Path: r.cfg.Path, Argv: argv, Env: r.environment(), Dir: r.cfg.Chdir, Foreground: r.plan.front,
		UID: r.cfg.UID, Leftovers: r.cfg.Leftovers, GraceMS: r.cfg.Grace.Milliseconds(),
		Scope: r.cfg.Scope,
	}.Pack())
}

// launch waits until the command runs, which it does when it is recorded. It
// returns false when it could not be started.
func (r *run) launch(ctx context.Context) bool {
	if r.launchErr != nil {
		return false
	}
	// A new size of the terminal may have come unheard.
	r.resize()
	if !r.comesUp(ctx) || !r.isWritten(ctx) {
		r.callOff(ctx)
		return false
	}
	m, err := r.wire.Receive()
	switch {
	case err != nil:
		r.monitorLost(ctx)
		if r.left.None() {
			r.launchErr = &ownError{errMonitorLost}
		}
		return false
	case m.Kind == wire.MsgFailed:
		r.launchErr = fmt.Errorf("execute %s: %w", r.cfg.Path, whyNot(syscall.Errno(wire.UnpackNum(m.Body))))
		return false
	}
	child, err := wire.UnpackChild(m.Body)
	if err != nil {
		r.launchErr = &ownError{err}
		return false
	}
	if r.cfg.Scope && child.CGroup == "" {
		r.note(lifecycle.SourceOwnAct, "it has a scope of systemd, and no control group of its own in it", "")
	}
	r.started(ctx, child)
	return true
}

// started writes down who was launched and begins to beat.
func (r *run) started(ctx context.Context, child wire.ChildReport) {
	r.launched = store.Launch{
		UID: r.cfg.UID, Child: r.identify(child.PID, child.Start), Monitor: r.identify(r.monitor, 0),
		PGID: child.PID, SID: child.SID, Cgroup: child.CGroup, At: r.instant(r.released),
	}
	if r.pair != nil {
		r.launched.TTY = r.pair.Name
	}
	early, over := r.overAtOnce(ctx)
	if r.brief = over; over {
		return
	}
	if r.relay != nil {
		r.relay.Begin()
		r.relay.Input(r.front)
	}
	r.releasePassedOn()
	r.syncRunFile()
	if err := r.cfg.Journal.Launched(ctx, r.launched); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("write launch")
	}
	r.launchWritten = true
	r.startHeart()
	if early != nil {
		r.report(ctx, *early, true)
	}
	r.starved = memoryKills()
	r.listen()
}

// overAtOnce gives a short command the time to end before anything is set up to
// watch a long one. It says whether that was enough. Any other report is handed
// back, to be acted on when the launch is written.
func (r *run) overAtOnce(ctx context.Context) (early *wire.Message, over bool) {
	if !r.wire.Await(int(shortRun.Milliseconds())) {
		return nil, false
	}
	m, err := r.wire.Receive()
	if err == nil && m.Kind != wire.MsgExited {
		return &m, false
	}
	r.report(ctx, m, err == nil)
	return nil, r.ended()
}

// listen has the reports come through the channel from now on.
func (r *run) listen() {
	if !r.listening {
		r.listening = true
		go r.wire.ReceiveAll(r.reports, r.over)
	}
}

// releasePassedOn lets go of the descriptors that went to the run as they are:
// a reader at the other end waits for the last writer. The receipt still needs
// the standard error.
func (r *run) releasePassedOn() {
	if !r.cfg.HoldOthers {
		monitor.CloseInherited()
	}
	if r.plan.direct || r.cfg.HoldStdio {
		return
	}
	for fd, onPair := range r.plan.onPair[:2] {
		if !onPair && r.passages[fd] == nil && int(r.files()[fd].Fd()) == fd {
			monitor.ToNull(fd)
		}
	}
}

// attend serves whatever happens until the command has ended.
func (r *run) attend(ctx context.Context) {
	if r.cfg.Launched != nil && !r.ended() {
		r.cfg.Launched(ctx)
	}
	var deadline <-chan time.Time
	if r.cfg.Timeout > 0 {
		// A timer counts awake time, which is what the limit is about.
		t := time.NewTimer(r.cfg.Timeout)
		defer t.Stop()
		deadline = t.C
	}
	settled := time.NewTimer(settleTime)
	defer settled.Stop()
	done := ctx.Done()
	for !r.ended() {
		var look <-chan time.Time
		if r.mayCome() {
			look = time.NewTimer(lookTime).C
		}
		select {
		case m, ok := <-r.reports:
			r.report(ctx, m, ok)
		case s := <-r.sigs:
			r.signalled(ctx, s)
		case <-r.cont:
			r.woken(ctx)
		case <-look:
			r.come(ctx)
		case <-r.gone:
			// Whoever is to end with a terminal is told by SIGHUP; a disowned job is
			// not, and goes on.
			r.cfg.Log.Debug().Msg("terminal gone")
		case <-settled.C:
			monitor.UnloadProgram()
			r.order(wire.MsgSettle, nil)
		case <-deadline:
			r.beginStop(lifecycle.StoppedByDeadline, unix.SIGTERM)
		case a := <-r.wants:
			r.wanted(ctx, a)
		case c := <-r.concerns:
			r.concerned(ctx, c)
		case <-done:
			done = nil
			r.beginStop(lifecycle.StoppedByParent, unix.SIGTERM)
		}
	}
}

// ended says whether the command is over.
func (r *run) ended() bool { return r.exit.Done }

// report acts on one report of the monitor.
func (r *run) report(ctx context.Context, m wire.Message, ok bool) {
	if !ok {
		r.monitorLost(ctx)
		return
	}
	switch m.Kind {
	case wire.MsgExited:
		e, err := wire.UnpackExit(m.Body)
		if err != nil {
			r.cfg.Log.Error().Err(err).Msg("read exit")
			e = wire.ExitReport{Lost: true}
		}
		e.Done = true
		r.exit, r.exitAt = e, r.cfg.Clock.Now()
	case wire.MsgSuspended:
		r.suspend(ctx, syscall.Signal(wire.UnpackNum(m.Body)))
	case wire.MsgResumed:
		r.wentOn(ctx)
	case wire.MsgLaunch, wire.MsgGo, wire.MsgSignal, wire.MsgTell, wire.MsgContinue, wire.MsgStop, wire.MsgTerminal, wire.MsgForget, wire.MsgSettle, wire.MsgStarted, wire.MsgFailed, wire.MsgDone:
	}
}

// instant is a reading in the ledger's words.
func (r *run) instant(at clock.Reading) store.Instant { return heartbeat.InstantOf(at, r.cfg.BootID) }

// now is the present instant.
func (r *run) now() store.Instant { return r.instant(r.cfg.Clock.Now()) }
