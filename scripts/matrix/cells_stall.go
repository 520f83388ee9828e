package main

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

func stallCells() []cell {
	return []cell{
		{name: "consumer-stalled", group: groupMatrix, does: "the reader of the output never reads: SIGTERM still ends wrapper and command", run: consumerStalled},
		{name: "terminal-stalled", group: groupNasty, does: "the terminal is no longer read: SIGTERM still ends wrapper and command, within 5 s", run: terminalStalled},
		{name: "unkillable", group: groupNasty, does: "a command that not even SIGKILL ends does not keep the wrapper", needs: []string{"linux", "root"}, bare: "the wrapper is the command", run: unkillable},
		{name: "uninterruptible", group: groupNasty, does: "a command in uninterruptible sleep (vfork) is ended with its wrapper", needs: []string{"linux", "perl"}, run: uninterruptible},
	}
}

func flooding(l *lab) []string {
	return []string{"sh", "-c", `echo $$ >` + l.path("pid") + `; exec yes`}
}

func consumerStalled(l *lab) {
	l.session(`sh -c 'echo $$ >"$D/wrapper.pid"; exec "$@"' - ` + l.q(flooding(l)...) + ` | sleep 1000`).begin()
	child, wrapper := l.number("pid"), l.number("wrapper.pid")
	l.idle(child)
	l.must(syscall.Kill(wrapper, syscall.SIGTERM))
	l.gone(child, "the command", graceLimit)
	took := l.gone(wrapper, "the wrapper", graceLimit)
	l.note("after %v", took.Round(10*time.Millisecond))
}

func terminalStalled(l *lab) {
	s := l.held(flooding(l)...).begin()
	child := l.number("pid")
	l.must(s.Pause())
	l.idle(child)
	s.kill(syscall.SIGTERM)
	took := stopwatch()
	l.gone(child, "the command", graceLimit)
	l.gone(s.wrapper(), "the wrapper", max(0, 5*time.Second-took()))
	l.note("after %v", took().Round(10*time.Millisecond))
}

// freezer is where version 1 of control groups freezes: a task in it takes not even SIGKILL, as one that waits for a dead disk.
const freezer = "/sys/fs/cgroup/freezer"

func unkillable(l *lab) {
	group := filepath.Join(freezer, filepath.Base(l.dir))
	if err := os.Mkdir(group, 0o755); err != nil {
		l.skipf("no version 1 freezer to make an unkillable process with: %v", err)
	}
	set := func(file, value string) error { return os.WriteFile(filepath.Join(group, file), []byte(value), 0o644) }
	s := l.held(l.probe("hold", l.path("pid"))...).begin()
	child := l.number("pid")
	l.must(set("cgroup.procs", itoa(child)))
	l.must(set("freezer.state", "FROZEN"))
	defer func() {
		_ = set("freezer.state", "THAWED")
		l.later(func() { _ = os.Remove(group) })
	}()
	s.kill(syscall.SIGTERM)
	took := l.gone(s.wrapper(), "the wrapper", 20*time.Second)
	l.want(alive(child), "the command died: it was not unkillable")
	l.note("the wrapper ended after %v", took.Round(10*time.Millisecond))
}

func uninterruptible(l *lab) {
	clone, known := map[string]string{"amd64": "56", "arm64": "220"}[runtime.GOARCH]
	if !known {
		l.skipf("the number of clone is not known for %s", runtime.GOARCH)
	}
	l.write("vfork.pl", `open F, ">", $ARGV[0]; print F "$$\n"; close F; syscall(`+clone+`, 0x4000|17, 0, 0, 0, 0) or sleep 1000;`)
	s := l.held("perl", l.path("vfork.pl"), l.path("pid")).begin()
	child := l.number("pid")
	l.until(startLimit, "uninterruptible sleep", func() bool { return state(child) == 'D' })
	s.kill(syscall.SIGTERM)
	took := l.gone(child, "the command", graceLimit)
	l.gone(s.wrapper(), "the wrapper", graceLimit)
	l.note("after %v", took.Round(10*time.Millisecond))
}
