package main

import (
	"os"
	"regexp"
	"strings"
	"time"
)

func stdinCells() []cell {
	return []cell{
		{name: "pipe-cat", group: groupMatrix, does: "printf | W cat: the same bytes, on a terminal, output to a file", run: func(l *lab) {
			l.session(`printf 'a\tb\r\nc\0d' | `+l.q("cat")+` >out`).begin().wantRC(0, startLimit)
			l.want(l.read("out") == "a\tb\r\nc\x00d", "got %q", l.read("out"))
		}},
		{name: "bulk-stdin", group: groupMatrix, does: "800 KB of input through a pipe arrive unchanged", run: bulkStdin("head -c 800000 /dev/urandom >in")},
		{name: "stdin-null", group: groupMatrix, does: "with /dev/null as input the command runs, its output and code come back", run: func(l *lab) { emptyStdin(l, "</dev/null") }},
		{name: "stdin-closed", group: groupMatrix, does: "with a closed input the command runs, its output and code come back", run: func(l *lab) { emptyStdin(l, "<&-") }},
		{name: "bulk-lines", group: groupNasty, does: "3,000,000 lines of input arrive unchanged", run: bulkStdin("seq 1 3000000 >in")},
		{name: "long-line", group: groupNasty, does: "a line of 100,000 characters arrives whole", run: bulkStdin("head -c 100000 /dev/zero | tr '\\0' x >in; echo >>in")},
		{name: "endless-stdin", group: groupNasty, does: "an input that never ends does not keep the wrapper", run: endlessStdin},
		{name: "here-document", group: groupNasty, does: "a here-document is the command's input, on a terminal", run: func(l *lab) {
			s := l.session(l.q("cat") + " <<'END'\none\ntwo\nEND").begin()
			s.see("one\r\ntwo\r\n")
			s.wantRC(0, startLimit)
		}},
		{name: "stderr-apart", group: groupNasty, does: "stdout into a file, stderr on the terminal: neither gets the other's bytes", run: func(l *lab) {
			s := l.session(l.qsh("echo out; echo err >&2; exit 6") + " >out").begin()
			s.see("err\r\n")
			s.wantRC(6, startLimit)
			l.want(l.read("out") == "out\n", "stdout got %q", l.read("out"))
		}},
	}
}

// bulkStdin runs in a session, because a wrapper with a terminal at hand is tempted to feed the input through one.
func bulkStdin(prepare string) func(*lab) {
	return func(l *lab) {
		l.sh(prepare)
		s := l.session(`cat in | ` + l.q("md5sum") + ` >out; md5sum <in >want`).begin()
		s.wantRC(0, 20*time.Second)
		l.want(l.read("out") == l.read("want"), "the sums differ: %q", l.read("out"))
	}
}

func emptyStdin(l *lab, redirection string) {
	s := l.session(l.qsh(`echo shown; exit 3`) + ` ` + redirection + ` >out`).begin()
	s.wantRC(3, startLimit)
	l.want(l.read("out") == "shown\n", "output is %q", l.read("out"))
	s = l.session(l.qsh(`echo shown; exit 3`) + ` ` + redirection).begin()
	_, err := s.ExpectMatch(regexp.MustCompile(`shown\r+\n`), startLimit)
	l.must(err)
	s.wantRC(3, startLimit)
}

func endlessStdin(l *lab) {
	s := l.session(`mkfifo never; exec 9<>never; ` + l.q("true") + ` <never 9<&-`)
	took := stopwatch()
	s.begin().wantRC(0, startLimit)
	l.want(took() < 2*time.Second, "took %v", took())
	reader, writer, err := os.Pipe()
	l.must(err)
	l.later(func() { _ = reader.Close(); _ = writer.Close() })
	e := l.pipe(reader, "sh", "-c", "exit 3")
	l.want(e.code() == 3 && e.took < 2*time.Second, "without a terminal: code %d after %v", e.code(), e.took)
	e = l.pipe(strings.NewReader("x"), "cat")
	l.want(e.out == "x", "a short input became %q", e.out)
}
