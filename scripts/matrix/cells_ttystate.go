package main

import (
	"strings"
	"syscall"
)

func ttyStateCells() []cell {
	return []cell{
		{name: "tty-modes", group: groupThrough, does: "stty -g is the same inside", run: ttyModes},
		{name: "isatty", group: groupThrough, does: "each descriptor is a terminal inside if and only if it is outside: all eight ways", run: isatty},
		{name: "dev-tty", group: groupThrough, does: "/dev/tty can be opened, with all descriptors redirected as well", run: devTTY},
	}
}

func ttyModes(l *lab) {
	for _, prepare := range []string{"true", "stty -echo intr ^B -ixon"} {
		s := l.session(prepare + `; stty -g >outside; ` + l.qsh(`stty -g >`+l.path("inside"))).begin()
		s.wantRC(0, startLimit)
		outside, inside := strings.TrimSpace(l.read("outside")), strings.TrimSpace(l.read("inside"))
		l.want(inside == outside, "after %s: outside %s inside %s", prepare, outside, inside)
	}
}

func isatty(l *lab) {
	// The test must look before it redirects its own output.
	look := `r=; for f in 0 1 2; do if test -t $f; then r=${r}y; else r=${r}n; fi; done; echo $r >` + l.path("seen")
	for way := range 8 {
		line, want := l.qsh(look), ""
		for fd, redirection := range []string{"</dev/null", ">f1", "2>f2"} {
			if way&(1<<fd) != 0 {
				line, want = line+" "+redirection, want+"n"
			} else {
				want += "y"
			}
		}
		s := l.session(line).begin()
		s.wantRC(0, startLimit)
		got := strings.TrimSpace(l.read("seen"))
		l.want(got == want, "way %d: %s, want %s", way, got, want)
		l.must(s.Close())
	}
}

func devTTY(l *lab) {
	for _, redirection := range []string{"", "</dev/null >f1 2>f2"} {
		s := l.session(l.qsh(`echo to''-tty >/dev/tty; exit 3`) + " " + redirection).begin()
		s.see("to-tty\r\n")
		s.wantRC(3, startLimit)
	}
}

func queryCells() []cell {
	return []cell{
		{name: "queries", group: groupNasty, does: "questions to the terminal and answers split over several reads pass byte for byte", run: queries},
		{name: "modes-left-on", group: groupNasty, does: "screen modes left on by a killed command are switched off", bare: "nobody is there to do it", run: leftOn(syscall.SIGKILL, true)},
		{name: "modes-kept", group: groupNasty, does: "screen modes left on by a command that ends well stay on", run: leftOn(0, false)},
	}
}

func queries(l *lab) {
	question := "\x1b[c\x1b[6n\x1b]11;?\x1b\\\x1b[?u\x1b[?2004h"
	answer := "\x1b[?62;22c\x1b[12;34R\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?1u\x1b[200~pasted \xe2\x82\xac\x1b[201~"
	s := l.held(l.probe("ask", question, itoa(len(answer)), l.path("answer"))...).begin()
	s.see(question)
	// Byte by byte: an escape sequence or a character may be split anywhere.
	for i := range len(answer) {
		s.typeIn(answer[i : i+1])
	}
	s.wantRC(0, startLimit)
	l.want(l.read("answer") == answer, "got %q", l.read("answer"))
}

// leftOn runs a command that switches modes on and dies, or ends well.
func leftOn(sig syscall.Signal, wantReset bool) func(*lab) {
	return func(l *lab) {
		script := `printf '\033[?1049h\033[?1000h\033[?1006h\033[?2004h\033[?25lon''-now'; read x; exit 0`
		if wantReset {
			script = `printf '\033[?1049h\033[?1000h\033[?1006h\033[?2004h\033[?25lon''-now'; read x; kill -` + itoa(int(sig)) + ` $$`
		}
		s := l.heldSh(script)
		s.see("on-now")
		s.typeIn("\n")
		s.rc(startLimit)
		out := string(s.Output())
		for _, off := range []string{"\x1b[?1049l", "\x1b[?1000l", "\x1b[?1006l", "\x1b[?2004l", "\x1b[?25h"} {
			l.want(strings.Contains(out, off) == wantReset, "%q sent: %v, want %v", off, !wantReset, wantReset)
		}
	}
}
