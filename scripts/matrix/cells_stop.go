package main

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

func restoreCells() []cell {
	return []cell{
		{name: "modes-after-term", group: groupMatrix, does: "SIGTERM of the wrapper leaves the terminal's modes as they were", run: modesAfter(syscall.SIGTERM)},
		{name: "modes-after-kill", group: groupMatrix, does: "SIGKILL of the wrapper leaves the terminal's modes as they were", run: modesAfter(syscall.SIGKILL)},
		{name: "hup-proof-term", group: groupMatrix, does: "a command that ignores SIGHUP is dead after SIGTERM of the wrapper", run: deafAfter(syscall.SIGTERM, graceLimit, "HUP")},
		{name: "hup-proof-kill", group: groupMatrix, does: "a command that ignores SIGHUP is dead after SIGKILL of the wrapper", run: deafAfter(syscall.SIGKILL, graceLimit, "HUP")},
		{name: "wrapper-killed", group: groupNasty, does: "SIGKILL of the wrapper ends a command that ignores HUP and TERM in 3 s, modes restored", run: wrapperKilled, bare: "the wrapper is the command"},
		{name: "term-proof-term", group: groupNasty, does: "SIGTERM of the wrapper ends, by force after its grace, a command that ignores it", bare: "nobody uses force", run: deafAfter(syscall.SIGTERM, graceLimit+3*time.Second, "HUP", "TERM")},
	}
}

// modesAfter waits until the wrapper relays keys: what it does to the user's modes it has done then.
func modesAfter(sig syscall.Signal) func(*lab) {
	return func(l *lab) {
		s := l.held(upCat()...).begin()
		s.relayed()
		s.kill(sig)
		s.rc(graceLimit)
		s.restored()
	}
}

// restored waits until the modes are those of the beginning: after a SIGKILL somebody else must restore them.
func (s *session) restored() {
	after, err := s.AwaitTermios(func(now unix.Termios) bool { return now == s.before }, 3*time.Second)
	if err != nil {
		s.l.fatalf("modes: %s", ptytest.DiffTermios(s.before, after))
	}
}

func deafAfter(sig syscall.Signal, within time.Duration, ignored ...string) func(*lab) {
	return func(l *lab) {
		s := l.held(l.probe(append([]string{"hold", l.path("pid")}, ignored...)...)...).begin()
		child := l.number("pid")
		s.kill(sig)
		took := l.gone(child, "the command", within)
		s.rc(graceLimit)
		l.note("after %v", took.Round(10*time.Millisecond))
	}
}

func wrapperKilled(l *lab) {
	s := l.held(l.probe("hold", l.path("pid"), "HUP", "TERM")...).begin()
	child := l.number("pid")
	s.kill(syscall.SIGKILL)
	took := l.gone(child, "the command", 3*time.Second)
	s.restored()
	l.note("after %v", took.Round(10*time.Millisecond))
}

func stopCells() []cell {
	return []cell{
		{name: "terminal-closed", group: groupMatrix, does: "closing the terminal ends command and wrapper", run: terminalClosed()},
		{name: "terminal-closed-deaf", group: groupNasty, does: "closing the terminal ends a command that ignores SIGHUP", bare: "nobody uses force", run: terminalClosed("HUP")},
		{name: "nohup-kept", group: groupNasty, does: "an inherited ignored SIGHUP, SIGINT, SIGPIPE stays ignored", needs: []string{"linux"}, run: ignoredKept},
		{name: "nohup-closed", group: groupNasty, does: "under nohup the command survives the closing of the terminal", run: nohupClosed},
	}
}

func terminalClosed(ignored ...string) func(*lab) {
	return func(l *lab) {
		// The wrapper leads the session, as a terminal emulator starts it.
		t := l.terminal(ptytest.Config{Argv: l.w.argv(l.probe(append([]string{"hold", l.path("pid")}, ignored...)...)...)})
		child := l.number("pid")
		l.must(t.Hangup())
		took := l.gone(child, "the command", graceLimit)
		l.gone(t.Pid(), "the wrapper", graceLimit)
		l.note("after %v", took.Round(10*time.Millisecond))
	}
}

func ignoredKept(l *lab) {
	script := `trap '' HUP INT PIPE; cd "$D"; exec ` + l.q("grep", "SigIgn", "/proc/self/status")
	e := l.sh(script)
	var mask uint64
	_, err := sscan(e.out, "SigIgn: %x", &mask)
	l.must(err)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE} {
		l.want(mask&(1<<(sig-1)) != 0, "%v is no longer ignored (SigIgn %x)", sig, mask)
	}
}

func nohupClosed(l *lab) {
	t := l.terminal(ptytest.Config{Argv: []string{
		"/bin/sh", "-c",
		`cd "$D"; nohup ` + l.q(l.probe("hold", l.path("pid"))...) + ` >out 2>&1 </dev/null & wait`,
	}})
	child := l.number("pid")
	l.must(t.Hangup())
	l.gone(t.Pid(), "the shell", startLimit)
	l.stays(child, "the command", time.Second)
}
