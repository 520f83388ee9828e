package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

func exitCells() []cell {
	return []cell{
		{name: "exit-7", group: groupMatrix, does: "exit code 7 comes back, with and without a terminal", run: exitSeven},
		{name: "exit-term", group: groupMatrix, does: "a command that dies of SIGTERM is 143 to a shell", run: diesOf(syscall.SIGTERM)},
		{name: "exit-kill", group: groupMatrix, does: "a command that dies of SIGKILL is 137 to a shell", run: diesOf(syscall.SIGKILL)},
		{name: "not-found", group: groupMatrix, does: "a command that does not exist is 127", run: startsNot(127, "no-such-command-here")},
		{name: "not-executable", group: groupNasty, does: "a file that is not executable is 126", run: func(l *lab) {
			l.write("plain", "text\n")
			startsNot(126, l.path("plain"))(l)
		}},
		{name: "directory", group: groupNasty, does: "a directory is 126", run: func(l *lab) { startsNot(126, l.dir)(l) }},
		{name: "exit-0-255", group: groupNasty, does: "each exit code from 0 to 255 comes back", limit: 90 * time.Second, run: exitAll},
		{name: "true-signal", group: groupNasty, does: "the parent sees the signal itself: TERM, KILL, SEGV", run: trueSignal},
	}
}

func exitSeven(l *lab) {
	l.heldSh("exit 7").wantRC(7, startLimit)
	if got := l.pipe(nil, "sh", "-c", "exit 7").code(); got != 7 {
		l.fatalf("exit code %d without a terminal, want 7", got)
	}
}

func diesOf(sig syscall.Signal) func(*lab) {
	return func(l *lab) { l.heldSh(fmt.Sprintf("kill -%d $$", sig)).wantRC(128+int(sig), startLimit) }
}

// startsNot runs what cannot be run from a shell: the shell's own code is what a person expects.
func startsNot(code int, name string) func(*lab) {
	return func(l *lab) { l.session(l.q(name)).begin().wantRC(code, startLimit) }
}

// exitAll loops in a shell. The code goes through a file, because sudo clears the environment.
func exitAll(l *lab) {
	e := l.sh(`i=0; while [ $i -le 255 ]; do echo $i >code; ` + l.qsh(`read c <code; exit $c`) +
		`; [ $? = $i ] || echo $i; i=$((i+1)); done`)
	l.want(e.out == "", "lost the codes %s", e.out)
}

func trueSignal(l *lab) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGSEGV} {
		e := l.pipe(nil, "sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", sig))
		switch {
		case e.status.Signaled() && e.status.Signal() == sig:
		case e.code() == 128+int(sig) && !l.w.ledger:
			l.note("%v only as exit code %d", sig, e.code())
		default:
			l.fatalf("%v: status %#x, want the signal itself", sig, e.status)
		}
	}
	if _, err := os.Stat(l.path("core")); err == nil {
		l.fatalf("a core file was left")
	}
}
