package main

import (
	"crypto/md5"
	"fmt"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

func streamCells() []cell {
	return []cell{
		{name: "flood-tty", group: groupMatrix, does: "60,000 lines and exit 5 on a terminal, complete, six times", limit: time.Minute, run: func(l *lab) {
			for range 6 {
				floodTTY(l, 60000)
			}
		}},
		{name: "flood-pipe", group: groupMatrix, does: "60,000 lines and exit 5 into a pipe, complete, six times", limit: time.Minute, run: floodPipe},
		{name: "flood-file", group: groupNasty, does: "2,000,000 lines and exit 5 into a file, byte for byte, fifty times", limit: 3 * time.Minute, run: floodFile},
		{name: "flood-slow", group: groupNasty, does: "200,000 lines on a terminal that reads 1 MB a second, complete", limit: time.Minute, run: func(l *lab) {
			floodTTY(l, 200000, func(c *ptytest.Config) { c.Throttle = throttle(1 << 20) })
		}},
		{name: "yes-head", group: groupMatrix, does: "yes | head -1: the command ends when its reader does", run: yesHead},
		{name: "paste", group: groupNasty, does: "4 MB pasted into a raw command that echoes: identical, no deadlock, wrapper grows less than 2 MB", limit: 90 * time.Second, run: paste},
	}
}

func lines(count int, end string) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "%d%s", i+1, end)
	}
	return b.String()
}

func floodTTY(l *lab, count int, change ...func(*ptytest.Config)) {
	s := l.session(l.qsh(`seq 1 `+itoa(count)+`; exit 5`), change...).begin()
	s.wantRC(5, time.Minute)
	out := string(s.Output())
	l.want(strings.Contains(out, lines(count, "\r\n")), "lines are missing or changed among %d bytes", len(out))
	l.must(s.Close())
}

func floodPipe(l *lab) {
	for range 6 {
		e := l.pipe(nil, "sh", "-c", "seq 1 60000; exit 5")
		l.want(e.code() == 5, "exit code %d, want 5", e.code())
		l.want(e.out == lines(60000, "\n"), "%d bytes, not the lines written", len(e.out))
	}
}

func floodFile(l *lab) {
	want := fmt.Sprintf("%x", md5.Sum([]byte(lines(2000000, "\n"))))
	s := l.session(`n=0; while [ $n -lt 50 ]; do ` + l.qsh("seq 1 2000000; exit 5") + ` >out; c=$?; s=$(md5sum <out); ` +
		`[ "$c ${s%% *}" = "5 ` + want + `" ] || { echo "run $n: code $c, $(wc -c <out) bytes"; break; }; n=$((n+1)); done; [ $n = 50 ]`).begin()
	code := s.rc(3 * time.Minute)
	l.want(code == 0, "%s", s.Output())
}

func yesHead(l *lab) {
	s := l.session(l.q("yes") + ` | head -1 >out`)
	took := stopwatch()
	s.begin().wantRC(0, 5*time.Second)
	l.want(took() < 2*time.Second, "took %v", took())
	l.want(l.read("out") == "y\n", "head got %q", l.read("out"))
}

const pasted = 4 << 20

func paste(l *lab) {
	s := l.held(l.probe("echo", itoa(pasted))...).begin()
	s.see("<<raw>>")
	// Raw inside must have become raw outside before the first byte is sent, or the outer terminal would edit it.
	_, err := s.AwaitTermios(ptytest.IsRaw, startLimit)
	l.must(err)
	start := len(s.Output())
	before := s.wrapperMemory()
	text := strings.Repeat("0123456789abcdef\x01\x1b[A\xc3\xa9\x00\x7f~\r", pasted/25+1)[:pasted]
	l.must(s.Send(text))
	l.until(time.Minute, "echo of the whole paste", func() bool { return len(s.Output()) >= start+pasted })
	got := string(s.Output()[start : start+pasted])
	l.want(got == text, "the paste came back changed")
	grown := s.wrapperMemory() - before
	s.wantRC(0, startLimit)
	l.want(l.w.bare() || grown < 2<<10, "the wrapper grew by %d KB", grown)
	l.note("the wrapper grew by %d KB", grown)
}
