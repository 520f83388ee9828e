package main

import (
	"slices"
	"strings"
)

func stateCells() []cell {
	linux := []string{"linux"}
	of := func(name, does, script string) cell {
		return cell{name: name, group: groupThrough, does: does, needs: linux, run: func(l *lab) { sameAsBare(l, script) }}
	}
	return []cell{
		of("descriptors", "the command has the descriptors 0, 1, 2 and no other", `ls /proc/$$/fd | tr '\n' ' '`),
		of("signal-masks", "nothing is blocked or ignored that was not before", `grep -E '^Sig(Blk|Ign|Pnd)|^ShdPnd' /proc/self/status`),
		of("limits", "the resource limits are the caller's", `cat /proc/self/limits`),
		of("umask-nice", "umask, niceness, timer slack and working directory are the caller's", `umask; nice; pwd; cat /proc/self/timerslack_ns; grep -E '^(NoNewPrivs|Seccomp|Cap|Groups|Uid|Gid)' /proc/self/status`),
		{name: "environment", group: groupThrough, does: "the environment differs only by names that begin with OCR_", needs: linux, run: sameEnvironment},
		{name: "arguments", group: groupThrough, does: "arguments arrive unchanged: empty, newline, quotes, UTF-8, not UTF-8", run: sameArguments},
	}
}

// caller is what a caller may have set before it runs the command.
const caller = `ulimit -n 300; ulimit -c 0; umask 027; cd /usr; `

// sameAsBare runs a script bare and wrapped, on a terminal and without, and compares what it prints.
func sameAsBare(l *lab, script string) {
	// The shell opens the file only after it has looked: a descriptor of its own would be seen.
	inner := func(file string) []string {
		return []string{"sh", "-c", `x=$(` + script + `); umask 022; printf '%s\n' "$x" >` + l.path(file)}
	}
	for _, place := range []string{"terminal", "pipe"} {
		bare, wrapped := caller+"nice -n 3 "+shellJoin(inner("bare")), caller+"nice -n 3 "+l.q(inner("wrapped")...)
		for _, text := range []string{bare, wrapped} {
			if place == "terminal" {
				s := l.session("(" + text + ")").begin()
				s.wantRC(0, startLimit)
				l.must(s.Close())
			} else {
				l.sh(text)
			}
		}
		want, got := l.read("bare"), l.read("wrapped")
		l.want(want == got, "%s: %s", place, difference(want, got))
	}
}

// difference shows the lines of two texts that are not in both.
func difference(want, got string) string {
	before, after := strings.Split(want, "\n"), strings.Split(got, "\n")
	var parts []string
	for _, line := range before {
		if !slices.Contains(after, line) {
			parts = append(parts, "-["+line+"]")
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			parts = append(parts, "+["+line+"]")
		}
	}
	return strings.Join(parts, " ")
}

func sameEnvironment(l *lab) {
	run := func(line, file string) []string {
		s := l.session("A_NAME='a value' " + line).begin()
		s.wantRC(0, startLimit)
		l.must(s.Close())
		var kept []string
		for variable := range strings.SplitSeq(l.read(file), "\x00") {
			// The shell sets _ and the working directory itself, depending on what it runs.
			if !strings.HasPrefix(variable, "OCR_") && !strings.HasPrefix(variable, "_=") && !strings.HasPrefix(variable, "OLDPWD=") {
				kept = append(kept, variable)
			}
		}
		slices.Sort(kept)
		return kept
	}
	bare := run(shellJoin([]string{"cp", "/proc/self/environ", l.path("bare")}), "bare")
	wrapped := run(l.q("cp", "/proc/self/environ", l.path("wrapped")), "wrapped")
	l.want(slices.Equal(bare, wrapped), "%s", difference(strings.Join(bare, "\n"), strings.Join(wrapped, "\n")))
}

func sameArguments(l *lab) {
	args := []string{"", "two words", "new\nline", "trailing\n", `quo"te'd`, `back\slash`, "$HOME `id` *", "-flag", "--", "é漢😀", "bad\xff\xfeutf8"}
	l.command(nil, l.probe(append([]string{"args", l.path("bare")}, args...)...)...)
	l.pipe(nil, l.probe(append([]string{"args", l.path("wrapped")}, args...)...)...)
	l.want(l.read("bare") == l.read("wrapped"), "%s", difference(l.read("bare"), l.read("wrapped")))
}
