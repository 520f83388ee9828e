package main

import (
	"strings"
	"time"
)

func screenCells() []cell {
	tmux := func(name, does string, steps []step, cmd []string, programs ...string) cell {
		return cell{
			name: name, group: groupScreen, does: does, needs: append([]string{"tmux"}, programs...), limit: time.Minute,
			run: func(l *lab) { samePicture(l, cmd, steps) },
		}
	}
	const typed = "ione two three\x1b"
	return []cell{
		tmux("screen-vim", "vim: typing, a resize, scrolling, an alternate screen", []step{
			{shows: "alpha 1"}, {keys: typed, shows: "three"}, {rows: 30, cols: 100, shows: "three"}, {keys: "G", shows: "alpha 400"}, {keys: ":vsplit\r", shows: "│"},
		}, []string{"vim", "-u", "NONE", "-N", "-n", "-i", "NONE", "--cmd", "set fillchars=vert:│ encoding=utf-8", "text"}, "vim"),
		tmux("screen-less", "less: paging, searching, a resize", []step{
			{shows: "alpha 1"}, {keys: " ", shows: "alpha 40"}, {keys: "/alpha 222\r", shows: "alpha 222"}, {rows: 15, cols: 60, shows: "alpha 222"}, {keys: "G", shows: "END"},
		}, []string{"less", "text"}, "less"),
		tmux("screen-shell", "an interactive shell: colours, line editing, ^Z and fg inside it, a flood", []step{
			{shows: "SHELL>"},
			{keys: "printf '\\033[1;31mred\\033[0m é漢\\n'\r", shows: "漢\n"},
			{keys: "echo one two\x17three\r", shows: "\none three"},
			{keys: "cat\r", shows: "cat"},
			{keys: "\x1a", shows: "Stopped"},
			{keys: "fg\r", shows: "fg\ncat"},
			{keys: "\x04", shows: "SHELL>"},
			{rows: 20, cols: 70, shows: "SHELL>"},
			{keys: "seq 1 20000\r", shows: "20000\nSHELL>"},
		}, []string{"env", "PS1=SHELL>", "bash", "--norc", "--noprofile", "-i"}, "bash"),
	}
}

// step sends keys or resizes, and waits until the screen shows a text and stands still.
type step struct {
	keys       string
	rows, cols int
	shows      string
}

func samePicture(l *lab, cmd []string, steps []step) {
	var text strings.Builder
	for i := range 400 {
		text.WriteString("alpha " + itoa(i+1) + " \tbeta é漢\n")
	}
	l.write("text", text.String())
	want := pictures(l, "bare", shellJoin(cmd), steps)
	got := pictures(l, "wrapped", l.q(cmd...), steps)
	for i := range want {
		l.want(want[i] == got[i], "step %d: %s", i+1, difference(want[i], got[i]))
	}
}

// pictures runs a command in a tmux of its own and returns the screen after each step, with its attributes.
func pictures(l *lab, name, line string, steps []step) []string {
	tmux := func(args ...string) ended {
		return l.command(nil, append([]string{"tmux", "-f", "/dev/null", "-S", l.path(name + ".socket")}, args...)...)
	}
	e := tmux("new-session", "-d", "-x", "80", "-y", "24", line+"; printf 'THE END'; exec sleep 1000")
	l.want(e.code() == 0, "tmux: %s", e.err)
	tmux("set", "-g", "status", "off")
	tmux("set", "-g", "window-size", "manual")
	tmux("resize-window", "-x", "80", "-y", "24")
	var seen []string
	for i, s := range steps {
		if s.rows > 0 {
			tmux("resize-window", "-x", itoa(s.cols), "-y", itoa(s.rows))
		}
		if s.keys != "" {
			tmux("send-keys", "-l", s.keys)
		}
		picture := settledPicture(s.shows, func(args ...string) string { return tmux(append([]string{"capture-pane", "-p"}, args...)...).out })
		l.want(picture != "", "%s, step %d: no %q on the screen: %q", name, i+1, s.shows, tmux("capture-pane", "-p").out)
		seen = append(seen, picture)
	}
	tmux("kill-server")
	return seen
}

// settledPicture is the screen once it shows a text and is the same in several looks; it is empty if it never is.
func settledPicture(shows string, capture func(args ...string) string) string {
	const looks = 8
	var last string
	same := 0
	if !holdsWithin(startLimit, func() bool {
		now := capture("-e")
		if same++; now != last {
			last, same = now, 0
		}
		return same >= looks && strings.Contains(capture(), shows)
	}) {
		return ""
	}
	return last
}
