package supervisor

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
)

// A shell ignores it, in a command substitution, that who is not in front is stopped for
// reading.
func TestACommandSubstitutionReads(t *testing.T) {
	s := newShell(newBench(t, "printf 'say ' >/dev/tty; read line; echo got $line"))
	s.send("x=$($W); echo then $x\n")
	s.expect("say ")
	s.send("words\r")
	s.expect("then got words")
}

// What a script starts for itself to go on beside is not in front of it.
func TestStartedByAScriptThatReads(t *testing.T) {
	s := newShell(newBench(t, "exec sleep 60"))
	s.send("sh -c '$W & echo on; read line; echo got $line; kill $!'\n")
	s.expect("on")
	s.send("words\n")
	s.expect("got words")
}

// A shell says nothing to a job that was not stopped when it brings it to the front.
func TestABackgroundJobIsBroughtToTheFront(t *testing.T) {
	s := newShell(newBench(t, "exec sleep 60"))
	s.send("$W &\n")
	s.prompt(0)
	s.send("fg\n")
	s.raw()
	s.send("\x03")
	s.prompt(130)
}

// Beside a pipe another program reads from the terminal, in our own group: a look at who
// is in front would take the keys from it.
func TestAFilterKeepsTheKeys(t *testing.T) {
	t.Parallel()
	r := &run{relay: &terminal.Relay{}, tty: &terminal.TTY{}, plan: plan{onPair: [3]bool{true}}}
	want(t, "may come", r.mayCome(), true)
	r.plan.keepOutput = true
	want(t, "may come beside a pipe", r.mayCome(), false)
	r.wantFront = true
	want(t, "may come when it asked", r.mayCome(), true)
}

// When the command is over ^Z stops us as well as whom we wait for then.
func TestStoppedAfterTheEnd(t *testing.T) {
	b := newBench(t, "true")
	b.order.After = "echo after; read line; echo then $line"
	s := newShell(b)
	s.send("$W\n")
	s.expect("after")
	job, err := s.Foreground()
	if err != nil {
		t.Fatal(err)
	}
	s.send("\x1a")
	s.expect("Stopped")
	// The shell waits for us alone: a reader that the kernel has not yet come to stop takes
	// what is typed at its prompt.
	b.eventually("all of the job is stopped", func() bool { return allStopped(t, job) })
	s.send("fg\n")
	s.send("words\n")
	s.expect("then words")
	s.prompt(0)
}

// A stop that cannot be caught: the shell has the terminal back meanwhile, as it likes it.
func TestStoppedOutrightInFront(t *testing.T) {
	s := newShell(newBench(t, "echo ready; exec sleep 60"))
	s.send("$W\n")
	s.expect("ready")
	s.raw()
	front, err := s.Foreground()
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Kill(front, unix.SIGSTOP)
	s.expect("Stopped")
	s.send("fg\n")
	s.raw()
	s.send("\x03")
	s.prompt(130)
}

// Who sets the command going sets all of the job going, however soon.
func TestACommandThatGoesOnAtOnce(t *testing.T) {
	b := newBench(t, "exec sleep 60")
	s := newShell(b)
	s.send("$W &\n")
	s.prompt(0)
	command, wrapper := 0, 0
	b.eventually("the command runs", func() bool {
		for _, p := range b.marked() {
			if p.Name == "sleep" {
				command = p.PID
				m, err := proc.Read(p.PPID)
				wrapper = m.PPID
				return err == nil
			}
		}
		return false
	})
	_ = unix.Kill(command, unix.SIGSTOP)
	b.eventually("the command is stopped", func() bool { return stopped(command) })
	_ = unix.Kill(command, unix.SIGCONT)
	b.eventually("the job goes on", func() bool { return !stopped(command) && !stopped(wrapper) })
	_ = unix.Kill(command, unix.SIGKILL)
	s.send("wait $!\n")
	s.prompt(128 + int(unix.SIGKILL))
}

// stopped says whether a process is.
func stopped(pid int) bool {
	p, err := proc.Read(pid)
	return err == nil && p.Stopped()
}

// allStopped says whether every process of a group is stopped.
func allStopped(t *testing.T, group int) bool {
	t.Helper()
	all, err := proc.All()
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(all, func(p proc.Process) bool { return p.PGID == group && !p.Stopped() })
}
