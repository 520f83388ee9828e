package main

import (
	"os"
	"strings"
	"syscall"
	"time"
)

func stillCells() []cell {
	return []cell{
		{name: "command-stopped", group: groupNasty, does: "a command stopped by SIGSTOP is left alone and goes on after SIGCONT", run: commandStopped},
		{name: "wrapper-stopped", group: groupNasty, does: "a wrapper stopped by SIGSTOP harms nobody and goes on after SIGCONT", run: wrapperStopped},
	}
}

func commandStopped(l *lab) {
	s := l.held(l.probe("catch", l.path("pid"), l.path("caught"), "USR1")...).begin()
	child, wrapper := l.number("pid"), s.wrapper()
	l.must(syscall.Kill(child, syscall.SIGSTOP))
	l.until(startLimit, "stop", func() bool { return state(child) != 'S' || !hasProc() })
	l.stays(child, "the stopped command", time.Second)
	l.stays(wrapper, "the wrapper", 0)
	// A wrapper that does job control stops its own job with its command: all are resumed.
	l.must(syscall.Kill(-s.Pid(), syscall.SIGCONT))
	l.must(syscall.Kill(child, syscall.SIGCONT))
	l.must(syscall.Kill(child, syscall.SIGUSR1))
	s.wantRC(42, startLimit)
}

func wrapperStopped(l *lab) {
	s := l.held(l.probe("catch", l.path("pid"), l.path("caught"), "USR1")...).begin()
	child := l.number("pid")
	s.kill(syscall.SIGSTOP)
	l.stays(child, "the command of the stopped wrapper", time.Second)
	s.kill(syscall.SIGCONT)
	l.must(syscall.Kill(child, syscall.SIGUSR1))
	s.wantRC(42, startLimit)
}

func initCells() []cell {
	return []cell{
		{name: "signals-all", group: groupInit, does: "every catchable signal sent to the wrapper reaches the command", needs: []string{"linux"}, limit: 3 * time.Minute, run: signalsAll},
		{name: "signal-group", group: groupInit, does: "SIGTERM reaches the command's whole process group", bare: "a signal goes to one process", run: signalGroup},
		{name: "term-stopped", group: groupInit, does: "SIGTERM of the wrapper ends a stopped command", bare: "the signal waits for SIGCONT", run: termStopped},
		{name: "own-group", group: groupInit, does: "the command is in the foreground group of its terminal", run: func(l *lab) {
			s := l.heldSh(`[ "$(ps -o tpgid= -p $$)" -eq "$(ps -o pgid= -p $$)" ] && echo fore''ground`)
			s.see("foreground\r\n")
			s.wantRC(0, startLimit)
		}},
		{name: "no-terminal", group: groupInit, does: "without any terminal signals and exit codes come through", run: noTerminal},
	}
}

func signalsAll(l *lab) {
	var lost []string
	for _, name := range []string{"HUP", "INT", "QUIT", "USR1", "USR2", "PIPE", "ALRM", "TERM", "CONT", "XCPU", "XFSZ", "VTALRM", "WINCH", "IO", "PWR"} {
		if what := forwarded(l, name); what != "" {
			lost = append(lost, what)
		}
		l.must(l.killAll())
	}
	l.want(len(lost) == 0, "%s", strings.Join(lost, "; "))
}

func signalGroup(l *lab) {
	hold := func(file string) string { return shellJoin(l.probe("hold", l.path(file))) }
	s := l.heldSh(hold("first") + ` & ` + hold("second") + ` & wait`)
	first, second := l.number("first"), l.number("second")
	s.kill(syscall.SIGTERM)
	took := stopwatch()
	l.gone(first, "the first child", 3*time.Second)
	l.gone(second, "the second child", 3*time.Second)
	s.rc(graceLimit)
	l.note("after %v", took().Round(10*time.Millisecond))
}

// termStopped is tried five times: the signal may come before or after a wrapper with job control has stopped itself.
func termStopped(l *lab) {
	for i := range 5 {
		file := "pid" + itoa(i)
		s := l.held(l.probe("hold", l.path(file))...).begin()
		child := l.number(file)
		l.must(syscall.Kill(child, syscall.SIGSTOP))
		l.until(startLimit, "stop", func() bool { return state(child) != 'S' || !hasProc() })
		s.kill(syscall.SIGTERM)
		// A wrapper that stopped with its command takes the signal when it is resumed, as kill %1 does.
		l.must(syscall.Kill(-s.Pid(), syscall.SIGCONT))
		l.gone(child, "the stopped command, try "+itoa(i+1)+",", graceLimit)
		s.rc(graceLimit)
		l.must(s.Close())
		l.must(os.Remove(l.path("wrapper.pid")))
	}
}

func noTerminal(l *lab) {
	done := make(chan ended, 1)
	go func() {
		done <- l.sh(`sh -c 'echo $$ >wrapper.pid; exec "$@"' - ` + l.q(l.probe("catch", l.path("pid"), l.path("caught"), "TERM")...))
	}()
	l.number("pid")
	l.must(syscall.Kill(l.number("wrapper.pid"), syscall.SIGTERM))
	var e ended
	l.until(graceLimit, "end", func() bool {
		select {
		case e = <-done:
			return true
		default:
			return false
		}
	})
	l.want(e.code() == 42 && l.read("caught") == "TERM", "exit code %d, want 42", e.code())
}
