package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// shell is an interactive shell with job control on a terminal of its own.
type shell struct {
	*bench
	*ptytest.Terminal
}

// newShell starts bash with the wrapper of b at hand as $W.
func newShell(b *bench) shell {
	b.t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		b.t.Skip("no bash")
	}
	term, err := ptytest.Start(ptytest.Config{
		Argv: []string{"bash", "--norc", "--noprofile", "-i"},
		Env:  append(b.environ(), "PS1=[$?]> ", "W="+self(b.t), "HISTFILE="),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := term.Close(); err != nil {
			b.t.Error(err)
		}
	})
	s := shell{b, term}
	s.expect("> ")
	return s
}

// expect waits for text.
func (s shell) expect(text string) {
	s.t.Helper()
	if err := s.Expect(text, patience); err != nil {
		s.t.Fatal(err)
	}
}

// prompt waits for a prompt that shows the last command's code.
func (s shell) prompt(code int) {
	s.t.Helper()
	s.expect(fmt.Sprintf("[%d]> ", code))
}

// send types.
func (s shell) send(text string) {
	s.t.Helper()
	if err := s.Send(text); err != nil {
		s.t.Fatal(err)
	}
}

// cooked waits until the terminal is a shell's or a plain program's again.
func (s shell) cooked() {
	s.t.Helper()
	_, err := s.AwaitTermios(func(m unix.Termios) bool { return m.Oflag&unix.OPOST != 0 }, patience)
	if err != nil {
		s.t.Fatal(err)
	}
}

// raw waits until the wrapper has taken the terminal: what is typed before that
// is the shell's. A shell's own line editor leaves output processing on.
func (s shell) raw() {
	s.t.Helper()
	if _, err := s.AwaitTermios(func(m unix.Termios) bool { return m.Oflag&unix.OPOST == 0 }, patience); err != nil {
		s.t.Fatal(err)
	}
}

// catReads waits until a cat is executed and reading: a shell that is stopped
// between vfork and exec does not stop, run bare or not.
func (s shell) catReads() {
	s.t.Helper()
	s.send("line\n")
	s.expect("line\r\nline")
}

// jobInFront waits until a job of the shell is in front: what is typed before that is
// the shell's.
func (s shell) jobInFront() {
	s.t.Helper()
	if !within(patience, func() bool { front, err := s.Foreground(); return err == nil && front != s.Pid() }) {
		s.t.Fatal("the job does not come to the front")
	}
}

func TestSuspendAndResume(t *testing.T) {
	s := newShell(newBench(t, "echo ready; cat; exit 3"))
	s.send("$W\n")
	s.expect("ready")
	s.catReads()
	s.send("\x1a")
	s.expect("Stopped")
	s.cooked()
	s.send("echo in-between\n")
	s.expect("in-between")
	s.expect("in-between")
	s.send("fg\n")
	s.raw()
	s.send("hello\n")
	s.expect("hello\r\nhello")
	s.send("\x04")
	s.prompt(3)
	s.cooked()
}

// An interrupt key is for everybody in front: a script does not go on with its next
// line. A signal sent to the command alone is none, and the script goes on.
func TestKeyEndsAScript(t *testing.T) {
	for _, c := range []struct {
		name, script, after string
	}{
		{"typed", "echo ready; exec cat", ""},
		{"sent", "echo ready; kill -INT $$", "went on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.script)
			b.order.Dies = true
			s := newShell(b)
			s.send("sh -c '$W; echo we''nt on'; echo ov''er\n")
			s.expect("ready")
			if c.after == "" {
				s.catReads()
				s.send("\x03")
				s.prompt(130)
				if bytes.Contains(s.Output(), []byte("went on")) {
					t.Error("the script went on")
				}
				return
			}
			s.expect(c.after)
			s.expect("over")
		})
	}
}

func TestAWaitIsSuspended(t *testing.T) {
	b := newBench(t, "exit 5")
	b.order.WaitMS = 3_600_000
	s := newShell(b)
	s.send("$W\n")
	s.waits()
	s.send("\x1a")
	s.expect("Stopped")
	s.send("fg\n")
	s.expect("fg\r\n")
	s.jobInFront()
	s.send("\x03")
	s.prompt(130)
}

func TestBackgroundJobStopsWhenItReads(t *testing.T) {
	s := newShell(newBench(t, "echo ready; read line; echo got $line"))
	s.send("$W &\n")
	s.expect("ready")
	// The job reads: it must stop for it, as a bare one does.
	s.send("until jobs | grep Stopped; do :; done\n")
	if _, err := s.ExpectMatch(regexp.MustCompile(`Stopped`), patience); err != nil {
		t.Fatal(err)
	}
	s.send("fg\n")
	s.send("something\n")
	s.expect("got something")
	s.prompt(0)
}

func TestScriptStopsAsAWhole(t *testing.T) {
	s := newShell(newBench(t, "echo ready; cat"))
	s.send("sh -c '$W; echo after=$?'\n")
	s.expect("ready")
	s.catReads()
	s.send("\x1a")
	s.expect("Stopped")
	s.send("fg\n")
	s.raw()
	s.send("\x04")
	s.expect("after=0")
}

func TestInterruptKeyIsTheRunsAlone(t *testing.T) {
	b := newBench(t, "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done")
	s := newShell(b)
	s.send("$W\n")
	s.expect("ready")
	s.send("\x03")
	s.expect("caught")
	s.prompt(9)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}

// A key typed before the command runs is for the command.
func TestEarlyKey(t *testing.T) {
	for _, c := range []struct {
		name, key string
		code      int
	}{
		{"interrupt", "\x03", 128 + int(unix.SIGINT)},
		{"suspend", "\x1a", 128 + int(unix.SIGTSTP)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "exec sleep 60")
			b.order.Hold = filepath.Join(b.order.StateDir, "go")
			s := newShell(b)
			s.send("$W\n")
			s.jobInFront()
			b.eventually("the command is ready", func() bool { return len(b.marked()) > 1 })
			s.send(c.key)
			s.expect("^") // the terminal has seen it
			if err := os.WriteFile(b.order.Hold, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s.prompt(c.code)
			if c.key == "\x1a" {
				s.send("fg\n")
				s.jobInFront()
				s.send("\x03")
				s.prompt(130)
			}
		})
	}
}

func TestKeyInARawProgramCancelsNothing(t *testing.T) {
	b := newBench(t, "stty raw -echo; echo ready; dd bs=1 count=1 >/dev/null 2>&1; stty sane; exit 4")
	s := newShell(b)
	s.send("$W\n")
	s.expect("ready")
	s.send("\x03")
	s.prompt(4)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByNobody)
}

// Another wrapper, or a remote shell, has a terminal of its own in between: it reads
// the key as it is and dies of it all the same.
func TestKeyThatKillsARawProgramCancels(t *testing.T) {
	b := newBench(t, "stty raw -echo; echo ready; dd bs=1 count=1 >/dev/null 2>&1; stty sane; kill -INT $$")
	s := newShell(b)
	s.send("$W\n")
	s.expect("ready")
	s.send("\x03")
	s.prompt(130)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}

// Each of two wrappers in a pipeline stops the whole group; that is one stop. The
// commands start nothing: a shell between vfork and exec does not stop.
func TestAPipelineOfTwoIsStoppedOnce(t *testing.T) {
	s := newShell(newBench(t, "echo ready >/dev/tty; exec sleep 60"))
	s.send("$W | $W\n")
	s.expect("ready")
	s.expect("ready")
	s.jobInFront()
	s.send("\x1a")
	s.expect("Stopped")
	s.prompt(148)
	s.send("fg\n")
	s.jobInFront()
	s.send("\x03")
	s.prompt(130)
}

func TestKeyAtAHeadlessAgentCancels(t *testing.T) {
	b := newBench(t, "stty raw -echo; echo ready; dd bs=1 count=1 >/dev/null 2>&1; stty sane; exit 4")
	b.order.Headless = true
	s := newShell(b)
	s.send("$W\n")
	s.expect("ready")
	s.send("\x03")
	s.prompt(4)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}

func TestLeftInTheMiddleOfATurn(t *testing.T) {
	for name, c := range map[string]struct {
		turn     lifecycle.TurnState
		headless bool
		keys     string
		want     string // source and cause of each piece of evidence
	}{
		"a line":                 {lifecycle.TurnRunning, false, "q\r", "record= own-act=user"},
		"a long key":             {lifecycle.TurnRunning, false, "\x1b[100;5u", "record= own-act=user"},
		"a terminal's word":      {lifecycle.TurnRunning, false, "\x1b[?62;22c", "record="},
		"behind a turn":          {"", false, "q\r", ""},
		"asked once":             {lifecycle.TurnRunning, true, "q\r", "record="},
		"interrupted":            {lifecycle.TurnInterrupted, false, "\x1b", "record=user"},
		"interrupted by no key":  {lifecycle.TurnInterrupted, false, "\x1b[?62;22c", "record="},
		"asked once, and no key": {lifecycle.TurnInterrupted, true, "x", "record=user"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "stty raw -echo; echo ready; head -c "+strconv.Itoa(len(c.keys))+" >/dev/null; stty sane")
			b.order.Agent, b.order.Turn, b.order.Headless = "claude", c.turn, c.headless
			s := newShell(b)
			s.send("$W\n")
			s.expect("ready")
			s.send(c.keys)
			s.prompt(0)
			var got []string
			for _, e := range b.ending().Evidence {
				got = append(got, string(e.Source)+"="+string(e.Points))
			}
			want(t, "evidence", strings.Join(got, " "), c.want)
		})
	}
}

func TestKeyWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		exit            wire.ExitReport
		agent, headless bool
		want            time.Duration
	}{
		{wire.ExitReport{Code: 130}, false, false, typedWindow},
		{wire.ExitReport{Code: -1, Signal: unix.SIGINT}, true, false, typedWindow},
		{wire.ExitReport{Code: 0}, true, false, typedWindow / 4},
		{wire.ExitReport{Code: 0}, false, false, -1},
		{wire.ExitReport{Code: 0}, true, true, tidyWindow},
		{wire.ExitReport{Code: 130}, true, true, tidyWindow},
		{wire.ExitReport{Code: -1, Signal: unix.SIGSEGV}, true, true, -1},
	} {
		if got := keyWindow(c.exit, c.agent, c.headless); got != c.want {
			t.Errorf("%+v: %s, want %s", c, got, c.want)
		}
	}
}

func TestResizeReachesTheRun(t *testing.T) {
	b := newBench(t, `trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.05; done`)
	term := b.terminal()
	if err := term.Expect("24 80", patience); err != nil {
		t.Fatal(err)
	}
	if err := term.Resize(33, 101); err != nil {
		t.Fatal(err)
	}
	if err := term.Expect("33 101", patience); err != nil {
		t.Fatal(err)
	}
}

func TestModesOfAKilledRunAreUndone(t *testing.T) {
	s := newShell(newBench(t, `printf '\033[?1049h\033[?1000h\033[?2004h\033[?25lready'; stty raw; kill -KILL $$`))
	s.send("$W\n")
	s.expect("ready")
	s.expect("\x1b[?25h\x1b[?2004l\x1b[?1000l\x1b[?1049l")
	s.prompt(128 + int(unix.SIGKILL))
	s.cooked()
}

func TestTerminalComesBackWhenTheWrapperIsKilled(t *testing.T) {
	b := newBench(t, `printf '\033[?1049hready'; exec sleep 300`)
	b.order.Grace = 0
	// A plain sh does not repair a terminal, as an interactive bash would.
	term, err := ptytest.Start(ptytest.Config{
		Argv: []string{"sh", "-c", `"$W"; echo wrapper=$?; read line`}, Env: append(b.environ(), "W="+self(t)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Close() })
	s := shell{b, term}
	s.expect("ready")
	s.raw()
	if err := unix.Kill(b.wrapper(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.expect("wrapper=137")
	s.cooked()
	b.eventually("the alternate screen is left", func() bool { return strings.Contains(string(s.Output()), "\x1b[?1049l") })
}

func TestClosedTerminalEndsTheRun(t *testing.T) {
	b := newBench(t, "trap '' HUP; echo ready; while :; do sleep 0.05; done")
	b.order.Grace = 300 * time.Millisecond
	term := b.terminal()
	if err := term.Expect("ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := term.Hangup(); err != nil {
		t.Fatal(err)
	}
	b.assertNothingSurvives()
	b.eventually("the end is recorded", func() bool { return b.recorded() })
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByTerminal)
}

// Who goes on without its terminal reads the end of its input, as it would have bare.
func TestInputEndsWithAClosedTerminal(t *testing.T) {
	b := newBench(t, "trap '' HUP; echo ready; cat; exit 7")
	b.order.OnHangup = HangupKeep
	term := b.terminal()
	if err := term.Expect("ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := term.Hangup(); err != nil {
		t.Fatal(err)
	}
	b.eventually("the end is recorded", func() bool { return b.recorded() })
	want(t, "code", *b.ending().ExitCode, 7)
}

func TestStalledTerminalDoesNotHoldUpAStop(t *testing.T) {
	b := newBench(t, "exec yes")
	b.order.Grace = 300 * time.Millisecond
	term, err := ptytest.Start(ptytest.Config{Argv: []string{self(t)}, Env: b.environ(), Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Close() })
	b.eventually("the run is up", func() bool { return len(b.marked()) > 1 })
	if err := term.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Wait(patience); err != nil {
		t.Fatal(err)
	}
}

func TestFloodArrivesWhole(t *testing.T) {
	b := newBench(t, "seq 1 60000; exit 5")
	// A leader that outlives the wrapper keeps the kernel from dropping output.
	term, err := ptytest.Start(ptytest.Config{
		Argv: []string{"sh", "-c", `"$W"; echo code=$?`}, Env: append(b.environ(), "W="+self(t)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Close() })
	if err := term.Expect("code=5", patience); err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(term.Output()))
	want(t, "lines", len(lines), 60001)
	want(t, "last line", lines[59999], "60000")
}
