package main

import (
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// Defaults of the wrap flags, as the help prints them.
const (
	// defaultGrace is how long a stopped command has before it is killed. It
	// must outlast an agent's own shutdown, which saves its session.
	defaultGrace = "5s"
	// defaultHeartbeat is the interval between beats; it must stay well below
	// the time after which a silent run is called late.
	defaultHeartbeat = "10s"
	// leastHeartbeat keeps a slip of the keyboard from hammering the ledger.
	leastHeartbeat = 100 * time.Millisecond
	// defaultLogSize caps a log file; one rotated file of the same size is
	// kept beside it.
	defaultLogSize = "10MiB"
)

// runOptions is everything the flags of a wrapped run say, validated. Paths
// are absolute; the zero value of a path or text means the flag was not given.
type runOptions struct {
	// pty is never empty.
	pty supervisor.PTYMode
	// noMonitor runs the command without the monitor process between it and
	// the wrapper.
	noMonitor bool
	// scope puts the run into a scope of the user's systemd.
	scope bool
	// timeout ends the command after this much awake time; 0 means never.
	timeout time.Duration
	// grace is the time between the first stop signal and KILL; 0 kills at
	// once.
	grace time.Duration
	// cwd is the command's working directory: an existing directory, the
	// wrapper's own when --cwd was not given. It decides the workspace too.
	cwd string
	// env holds KEY=VALUE pairs in the order given, to be laid over the
	// wrapper's environment; later ones win.
	env []string
	// name is a label for people; it names nothing.
	name string
	// agent names the adapter to use instead of the one argv[0] suggests. A run that
	// goes on with another may have one that another release knew.
	agent string
	// log is the file the output is copied to as it passes, capped at logSize
	// bytes (always positive), with one rotated file kept.
	log     string
	logSize int64
	// heartbeat is the interval between beats, at least leastHeartbeat.
	heartbeat time.Duration
	// onHangup and leftovers are never empty.
	onHangup  supervisor.HangupPolicy
	leftovers supervisor.LeftoverPolicy
	// receipt is the file the receipt is written to as JSON at the end.
	receipt string
	// json prints the receipt as JSON on stderr at the end, and no text.
	json bool
	// quiet prints no receipt on stderr; it silences neither json nor the last resort.
	quiet bool
	// onEnd is a shell command that gets the receipt on its stdin; its failure
	// changes nothing.
	onEnd string
	// autoFinish has the host finish a workflow that is complete but for that.
	autoFinish bool
	watchOptions
	// resumedFrom is the run whose work this one continues, workflow the workflow
	// it is for; no flags say so.
	resumedFrom, workflow string
	// autoResume is how many more runs may go on with the work by themselves.
	autoResume int
	// autoResumed: the run goes on by itself with the work of the one before.
	autoResumed bool
	// turns is how many runs of the flow may go on at once for this one to be launched,
	// 0 for what the flow says.
	turns int
	// background: it is a wrapper in the background, see [detachment].
	background detachment
	// notBefore is the earliest moment of the launch, zero for at once, and waitsFor
	// what it waits for; only resume can say so.
	notBefore time.Time
	waitsFor  store.WaitReason
	// hooks has the agent call our hooks, for this run only.
	hooks bool
	// uid is the run's, when it was chosen before; empty when it is still to be.
	uid string
	// patience is how long a write waits for the ledger; 0 means openTimeout.
	patience time.Duration
	// debug is the file the debug log is appended to.
	debug string
}

// wrapFlags are the flags of a wrapped run, in the order the help shows them.
func wrapFlags() []flagSpec {
	return []flagSpec{
		{name: "pty", value: "WHEN", fallback: string(supervisor.PTYAuto), usage: "give the command a terminal: auto, always or never"},
		{name: "cwd", value: "DIR", usage: "run the command in DIR"},
		{name: "env", value: "KEY=VALUE", many: true, usage: "set a variable for the command (repeatable)"},
		{name: "timeout", value: "DURATION", usage: "stop the command after this much awake time, as in 90s or 2h"},
		{name: "grace", value: "DURATION", fallback: defaultGrace, usage: "time between a stop and KILL"},
		{name: "idle-timeout", value: "DURATION", usage: "tell when no turn is open and nothing has gone on so long"},
		{name: "stop-idle", usage: "and stop the command then"},
		{name: "stall-timeout", value: "DURATION", usage: "tell when work is open and nothing has moved on so long"},
		{name: "stop-stalled", usage: "and stop the command then"},
		{name: "stop-runaway", usage: "stop an agent that repeats itself without end"},
		{name: "heal", value: "WHEN", fallback: string(healNever), usage: "never, or end dead connections after-sleep"},
		{name: "awake", value: "WHEN", fallback: string(awakeNever), usage: "never, or no sleep of the machine while working"},
		{name: "name", value: "NAME", usage: "label the run for people"},
		{name: "agent", value: "NAME", usage: "treat the command as this agent, whatever it is called"},
		{name: "log", value: "FILE", usage: "copy the output to FILE, byte for byte"},
		{name: "log-size", value: "SIZE", fallback: defaultLogSize, usage: "rotate the log at this size; one old file is kept"},
		{name: "heartbeat", value: "DURATION", fallback: defaultHeartbeat, usage: "time between two signs of life"},
		{name: "on-hangup", value: "POLICY", fallback: string(supervisor.HangupStop), usage: "when the terminal goes away: stop or keep the command"},
		{name: "leftovers", value: "POLICY", fallback: string(supervisor.LeftoversStop), usage: "what outlives the command: stop, keep or report it"},
		{name: "no-monitor", usage: "run without the monitor process"},
		{name: "scope", usage: "contain the run in a scope of your systemd, where nothing escapes"},
		{name: "receipt", value: "FILE", usage: "write the receipt to FILE as JSON at the end; until then FILE is empty"},
		{name: "json", usage: "print the receipt as JSON on stderr"},
		{name: "quiet", short: "q", usage: "print no receipt, unless the run can be recorded nowhere else"},
		{name: "on-end", value: "CMD", usage: "run CMD in a shell at the end, the receipt on its stdin"},
		{name: "auto-finish", usage: "let Open Code Review close a session whose work is complete"},
		{name: "auto-resume", value: "N", usage: "go on after a sleep, lost connection or limit, at most N times"},
		{name: "hooks", usage: "have the agent tell of its turns, for this run only"},
		{name: "debug", value: "FILE", usage: "append a debug log to FILE"},
		helpSpec(),
		{name: "version", usage: "print the version"},
	}
}

// parseOptions turns parsed flags into validated options. Relative paths are
// taken from base, which must be absolute.
func parseOptions(c flagValues, base string) (runOptions, error) {
	p := flagReader{flags: c}
	o := runOptions{
		pty:        oneOf(&p, "pty", supervisor.PTYAuto, supervisor.PTYAlways, supervisor.PTYNever),
		noMonitor:  c.Bool("no-monitor"),
		scope:      c.Bool("scope"),
		timeout:    p.duration("timeout", 0),
		grace:      p.duration("grace", 0),
		cwd:        p.directory("cwd", base),
		env:        p.pairs("env"),
		name:       p.label("name"),
		agent:      p.agent("agent"),
		log:        p.output("log", base),
		logSize:    p.size("log-size"),
		heartbeat:  p.duration("heartbeat", leastHeartbeat),
		onHangup:   oneOf(&p, "on-hangup", supervisor.HangupStop, supervisor.HangupKeep),
		leftovers:  oneOf(&p, "leftovers", supervisor.LeftoversStop, supervisor.LeftoversKeep, supervisor.LeftoversReport),
		receipt:    p.output("receipt", base),
		json:       c.Bool("json"),
		quiet:      c.Bool("quiet"),
		onEnd:      c.String("on-end"),
		autoFinish: c.Bool("auto-finish"),
		autoResume: p.count("auto-resume"),
		hooks:      c.Bool("hooks"),
		debug:      p.output("debug", base),

		watchOptions: parseWatchOptions(&p),
	}
	direct := o.noMonitor || o.pty == supervisor.PTYNever
	switch {
	case o.noMonitor && o.pty == supervisor.PTYAlways:
		p.refuse("pty", "always needs the monitor")
	case direct && o.log != "":
		p.refuse("log", "needs the monitor: without it no output passes through here")
	}
	return o, p.err
}

// needsOthers says whether descriptors that we were started with beyond the standard
// ones are of use at the end, too: to the receipt, to a command of ours or to a second run.
func (o runOptions) needsOthers() bool {
	return o.autoResume > 0 || o.onEnd != "" || strings.HasPrefix(o.receipt, "/dev/fd/") || strings.HasPrefix(o.receipt, "/proc/")
}
