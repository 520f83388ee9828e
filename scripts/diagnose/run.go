package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// Keys.
const (
	ctrlC  = "\x03"
	ctrlD  = "\x04"
	enter  = "\r"
	escape = "\x1b"
)

// Bounds on one run. In a full-screen program nothing ends by itself: the user leaves when nothing has happened for a while.
const (
	deadlineShort = 8 * time.Second
	deadlineUsual = 45 * time.Second
	deadlineSlow  = 100 * time.Second
	screenMost    = 35 * time.Second
	startMost     = 2 * time.Minute
	quietWell     = 3 * time.Second
	quietBad      = 7 * time.Second
	leavePatience = 6 * time.Second
	askPatience   = 20 * time.Second
	runMost       = 4 * time.Minute
	receiptMost   = 15 * time.Second
	step          = 50 * time.Millisecond
)

// trial is one agent, one fault, one mode.
type trial struct {
	subject subject
	fault   fault
	mode    mode
}

func (t trial) name() string { return t.subject.name + "/" + t.fault.name + "/" + string(t.mode) }

// receipt is the part of a receipt that is judged.
type receipt struct {
	PID     *int   `json:"pid"`
	Outcome string `json:"outcome"`
	Cause   string `json:"cause"`
	Process struct {
		End      string  `json:"end"`
		ExitCode *int    `json:"exit_code"`
		Signal   *int    `json:"signal"`
		Stopped  *string `json:"stopped_by"`
	} `json:"process"`
	Evidence []struct{ Source, Detail string } `json:"evidence"`
	Command  []string                          `json:"command"`
}

// running is a trial being made.
type running struct {
	trial
	bench
	ocr, path string
	limit     time.Duration
	server    *server
	term      *ptytest.Terminal
	answered  int // of the terminal's output, what was looked through for questions
	began     time.Time
	did       deed      // what was done, once it was
	before    turnTaken // the conversation at that moment
	left      int       // how often the keys to leave were typed
	leftAt    time.Time
	asked     int // how many requests there were when the user asked again
	againAt   time.Time
}

// make makes the trial in a directory and answers with what was said and what was so.
func (t trial) make(ocr, path, dir string, w workshop) (result, error) {
	r := &running{trial: t, bench: bench{dir: dir}, ocr: ocr, path: path}
	for _, d := range []string{r.home(), r.repo()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return result{}, err
		}
	}
	if out, err := exec.Command("git", "init", "-q", r.repo()).CombinedOutput(); err != nil {
		return result{}, fmt.Errorf("make a repository: %w: %s", err, out)
	}
	var err error
	if r.server, err = startServer(t.fault, filepath.Join(dir, "server.log")); err != nil {
		return result{}, err
	}
	defer r.server.stop()
	r.url = r.server.url
	if err := r.settle(t.subject); err != nil {
		return result{}, fmt.Errorf("write settings: %w", err)
	}
	if err := r.start(w.binary(t.subject)); err != nil {
		return result{}, err
	}
	err = r.follow()
	_ = os.WriteFile(filepath.Join(dir, "screen"), r.term.Output(), 0o600)
	if closing := r.term.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return result{}, err
	}
	return r.result()
}

// piped says whether the answer goes into a pipe.
func (m mode) piped() bool { return m == modeJSON || m == modePiped }

// start starts ocr-run at a terminal. What is piped goes to a reader that outlives a ^C.
func (r *running) start(binary string) error {
	r.limit = r.bound()
	argv := []string{r.ocr, "--receipt", filepath.Join(r.dir, "receipt.json")}
	if r.mode != modeScreen || r.fault.deed == waitTooLong {
		argv = append(argv, "--timeout", r.limit.String())
	}
	argv = append(append(argv, "--", binary), r.subject.args(r.mode)...)
	if r.mode.piped() {
		script := `D=$1; shift; "$@" </dev/null 2>"$D/stderr" | (trap "" INT HUP TERM; exec cat >"$D/stdout")`
		argv = append([]string{"/bin/sh", "-c", script, "sh", r.dir}, argv...)
	}
	env := []string{
		"PATH=" + r.path, "HOME=" + r.home(), "XDG_STATE_HOME=" + filepath.Join(r.dir, "state"), "TERM=xterm-256color", "LANG=C.UTF-8", "SHELL=/bin/sh",
		"NO_UPDATE_NOTIFIER=1", "DO_NOT_TRACK=1", "TMPDIR=" + r.dir,
	}
	var err error
	r.began = time.Now()
	r.term, err = ptytest.Start(ptytest.Config{Argv: argv, Dir: r.repo(), Env: append(env, r.subject.env(r.bench)...), Rows: 40, Cols: 150})
	return err
}

// bound is how long the run may take.
func (r *running) bound() time.Duration {
	switch {
	case r.fault.deed == waitTooLong && r.mode == modeScreen:
		return deadlineShort + 4*time.Second
	case r.fault.deed == waitTooLong:
		return deadlineShort
	case r.subject.slow:
		return deadlineSlow
	default:
		return deadlineUsual
	}
}

// follow watches the run until it is over, doing to it what is to be done.
func (r *running) follow() error {
	for time.Since(r.began) < runMost {
		if _, err := r.term.Wait(step); err == nil {
			return r.awaitReceipt()
		}
		r.reply()
		r.act()
		if r.mode == modeScreen {
			r.leave()
		}
	}
	return errors.New("the run does not end")
}

// awaitReceipt waits for the receipt: the shell before a pipe ends sooner than ocr-run when the terminal goes away.
func (r *running) awaitReceipt() error {
	for since := time.Now(); time.Since(since) < receiptMost; r.server.rest(step) {
		if _, err := r.receipt(); err == nil {
			return nil
		}
	}
	_, err := r.receipt()
	return err
}

// receipt reads the receipt.
func (r *running) receipt() (said receipt, err error) {
	b, err := os.ReadFile(filepath.Join(r.dir, "receipt.json"))
	if err == nil {
		err = json.Unmarshal(b, &said)
	}
	if err != nil {
		return said, fmt.Errorf("read the receipt: %w", err)
	}
	return said, nil
}

// reply answers what the program asks its terminal.
func (r *running) reply() {
	out := r.term.Output()
	fresh := out[r.answered:]
	r.answered = len(out)
	for _, qa := range [][2]string{
		{"\x1b[c", "\x1b[?62;22c"},
		{"\x1b[0c", "\x1b[?62;22c"},
		{"\x1b[6n", "\x1b[1;1R"},
		{"\x1b]11;?", "\x1b]11;rgb:0000/0000/0000\x07"},
		{"\x1b]10;?", "\x1b]10;rgb:ffff/ffff/ffff\x07"},
	} {
		if bytes.Contains(fresh, []byte(qa[0])) {
			_ = r.term.Send(qa[1])
		}
	}
}

// silent says whether the model has been silent long enough for the deed.
func (r *running) silent() bool {
	last, n, _ := r.server.state()
	return n > 0 && last.Open && last.Fault && time.Since(last.since) > 1500*time.Millisecond
}

// act does to the run what the fault wants done, once.
func (r *running) act() {
	if r.did != nothing || r.fault.deed == nothing || r.fault.deed == waitTooLong || !r.silent() {
		return
	}
	r.did = r.fault.deed
	r.before, _, _ = r.server.state()
	switch r.did {
	case interrupt:
		_ = r.term.Send(ctrlC)
		r.leftAt = time.Now()
	case terminate:
		_ = syscall.Kill(r.wrapper(), syscall.SIGTERM)
	case loseScreen:
		_ = r.term.Hangup()
	case killAgent:
		r.signalAgent(syscall.SIGKILL)
	case termAgent:
		r.signalAgent(syscall.SIGTERM)
	case crashAgent:
		r.signalAgent(syscall.SIGSEGV)
	case nothing, waitTooLong, leaveIt: // leave does the last
	}
}

// listed asks ocr-run for the run that is on.
func (r *running) listed() (running receipt) {
	cmd := exec.Command(r.ocr, "ps", "--json")
	cmd.Env = []string{"HOME=" + r.home(), "XDG_STATE_HOME=" + filepath.Join(r.dir, "state"), "PATH=" + r.path}
	out, _ := cmd.Output()
	var all struct{ Executions []receipt }
	if json.Unmarshal(out, &all) == nil && len(all.Executions) > 0 {
		return all.Executions[0]
	}
	return receipt{}
}

// wrapper is the process of ocr-run that the user started.
func (r *running) wrapper() int {
	if !r.mode.piped() {
		return r.term.Pid()
	}
	// The wrapper is the shell's child that is ocr-run; it was started first.
	all, _ := r.term.Survivors()
	slices.SortFunc(all, func(a, b ptytest.Process) int { return a.Pid - b.Pid })
	for _, p := range all {
		if p.Name == filepath.Base(r.ocr) {
			return p.Pid
		}
	}
	return r.term.Pid()
}

// signalAgent signals the agent's process group, as a stranger.
func (r *running) signalAgent(sig syscall.Signal) {
	if pid := r.listed().PID; pid != nil && *pid > 1 {
		group, err := syscall.Getpgid(*pid)
		if err == nil && group == *pid {
			_ = syscall.Kill(-group, sig)
		}
		_ = syscall.Kill(*pid, sig)
		if sig == syscall.SIGSEGV { // some forgive the first
			r.server.rest(time.Second / 4)
			_ = syscall.Kill(*pid, sig)
		}
	}
}

// leave leaves the full-screen program once the conversation is over or nothing more comes of it.
func (r *running) leave() {
	if r.left == 0 && !r.settledDown() {
		return
	}
	if r.fault.stage != always && r.againAt.IsZero() {
		r.askAgain()
		return
	}
	if r.left > 0 && time.Since(r.leftAt) < leavePatience {
		return
	}
	r.left, r.leftAt = r.left+1, time.Now()
	switch {
	case r.left > 4:
		_ = r.term.Hangup()
	case r.left > 2:
		_ = r.term.Send(ctrlC)
		r.server.rest(time.Second / 4)
		_ = r.term.Send(ctrlC)
		r.server.rest(time.Second / 4)
		_ = r.term.Send(ctrlD)
	case r.subject.leave == ctrlC:
		_ = r.term.Send(ctrlC)
	default:
		if r.left > 1 {
			_ = r.term.Send(escape)
		}
		r.server.rest(time.Second / 2)
		_ = r.term.Send(r.subject.leave)
		r.server.rest(time.Second)
		_ = r.term.Send(enter)
	}
}

// askAgain types the next question.
func (r *running) askAgain() {
	_, r.asked, _ = r.server.state()
	r.server.askedAgain()
	_ = r.term.Send("Please go on.")
	r.server.rest(time.Second)
	_ = r.term.Send(enter)
	r.againAt = time.Now()
}

// talking is for how long there has been a conversation, or what the user asked last.
func (r *running) talking() time.Duration {
	if r.againAt.IsZero() {
		return r.server.conversing()
	}
	return time.Since(r.againAt)
}

// settledDown says whether a user would leave now.
func (r *running) settledDown() bool {
	last, n, quiet := r.server.state()
	switch {
	case !r.againAt.IsZero() && n == r.asked:
		return r.talking() > askPatience
	case r.did == interrupt:
		return time.Since(r.leftAt) > quietWell
	case r.did != nothing, r.fault.deed != nothing:
		return r.did == leaveIt
	case r.talking() > screenMost, n == 0 && time.Since(r.began) > startMost:
		return true
	case n > 0 && last.Delivered && !last.Tool:
		return quiet > quietWell
	case n > 0:
		return !last.Open && quiet > quietBad
	default:
		return r.fault.place != placeHere && time.Since(r.began) > screenMost
	}
}

// result reads the receipt and sets it beside the truth.
func (r *running) result() (result, error) {
	took := time.Since(r.began)
	said, err := r.receipt()
	if err != nil {
		return result{}, err
	}
	_, requests := r.server.final()
	stopped := said.Process.Stopped != nil && *said.Process.Stopped == "deadline"
	if requests == 0 && r.fault.place == placeHere && !stopped {
		return result{}, errors.New("the agent asked nothing in time")
	}
	if !r.againAt.IsZero() && requests == r.asked {
		return result{}, errors.New("the agent did not ask again")
	}
	res := result{
		Agent: r.subject.name, Fault: r.fault.name, Mode: string(r.mode), Truth: r.truth(took, stopped), Outcome: said.Outcome, Cause: said.Cause,
		Requests: requests, Seconds: took.Seconds(), Exit: exitOf(said), LeftBy: r.left,
	}
	for _, e := range said.Evidence {
		res.Evidence = append(res.Evidence, e.Source+": "+e.Detail)
	}
	meta := object{"argv": said.Command, "exit": metaExit(said), "requests": requests, "url": r.url}
	_ = os.WriteFile(filepath.Join(r.dir, "meta.json"), []byte(text(meta)), 0o600)
	return res, nil
}

// exitOf is how the process ended, for people.
func exitOf(said receipt) string {
	switch p := said.Process; {
	case p.ExitCode != nil:
		return fmt.Sprint(*p.ExitCode)
	case p.Signal != nil:
		return strings.TrimPrefix(syscall.Signal(*p.Signal).String(), "signal ")
	default:
		return p.End
	}
}

// metaExit is the exit code, or the negative number of the signal.
func metaExit(said receipt) int {
	switch p := said.Process; {
	case p.ExitCode != nil:
		return *p.ExitCode
	case p.Signal != nil:
		return -*p.Signal
	default:
		return -1
	}
}
