package main

import (
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func signalCells() []cell {
	var cells []cell
	for _, name := range []string{"HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM"} {
		cells = append(cells, cell{
			name: "signal-" + strings.ToLower(name), group: groupMatrix, does: "SIG" + name + " sent to the wrapper reaches the command, whose exit code comes back",
			run: func(l *lab) {
				if got := forwarded(l, name); got != "" {
					l.fatalf("%s", got)
				}
			},
		})
	}
	return cells
}

// forwarded sends a signal to the wrapper of a command that catches it and exits 42; it returns what went wrong.
func forwarded(l *lab, name string) string {
	_ = syscall.Unlink(l.path("wrapper.pid"))
	_ = syscall.Unlink(l.path("pid"))
	_ = syscall.Unlink(l.path("caught"))
	s := l.held(l.probe("catch", l.path("pid"), l.path("caught"), "HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "CONT", "WINCH",
		"XCPU", "XFSZ", "VTALRM", "IO", "PWR", "PIPE")...).begin()
	child := l.number("pid")
	s.kill(unix.SignalNum("SIG" + name))
	if !holdsWithin(graceLimit, func() bool { return !alive(child) }) {
		return name + " does not reach the command"
	}
	code := s.rc(graceLimit)
	caught := "nothing"
	if holdsWithin(0, func() bool { return syscall.Access(l.path("caught"), 4) == nil }) {
		caught = l.read("caught")
	}
	if caught != name || code != 42 {
		return name + " became " + caught + ", exit code " + itoa(code) + ", want 42"
	}
	return ""
}

func windowCells() []cell {
	return []cell{
		{name: "winch", group: groupMatrix, does: "a resize of the terminal sends SIGWINCH to the command", run: func(l *lab) {
			s := winching(l)
			l.must(s.Resize(50, 132))
			s.see("winch=")
			s.typeIn("\x04")
			s.wantRC(0, startLimit)
		}},
		{name: "winch-size", group: groupMatrix, does: "after a resize the command sees the new size", run: func(l *lab) {
			s := winching(l)
			l.must(s.Resize(50, 132))
			s.see("winch=50x132.")
		}},
		{name: "first-size", group: groupThrough, does: "the first size the command sees is right, twenty times of twenty", limit: time.Minute, run: firstSize},
		{name: "resize-storm", group: groupNasty, does: "after a thousand resizes the last size wins", run: func(l *lab) {
			s := winching(l)
			for i := range 1000 {
				l.must(s.Resize(uint16(20+i%50), uint16(40+i%100)))
			}
			l.must(s.Resize(61, 143))
			s.see("winch=61x143.")
			s.typeIn("\x04")
			s.wantRC(0, startLimit)
		}},
	}
}

// winching runs the probe that prints sizes, until it has printed its first.
func winching(l *lab) *session {
	s := l.held(l.probe("winch")...).begin()
	s.see("size=24x80.")
	return s
}

func firstSize(l *lab) {
	for range 20 {
		s := l.held("stty", "size")
		l.must(s.Resize(33, 101))
		s.begin()
		s.see("33 101\r\n")
		s.wantRC(0, startLimit)
		l.must(s.Close())
	}
}
