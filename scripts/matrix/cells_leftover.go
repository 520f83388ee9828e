package main

import (
	"os"
	"slices"
	"time"
)

const (
	nobodyContains = "nobody contains it"
	// maxHelpers is more than any wrapper runs, and less than the orphans of a cell.
	maxHelpers = 6
)

func leftoverCells() []cell {
	return []cell{
		{name: "holder", group: groupMatrix, does: "a grandchild in a session of its own that keeps the terminal open delays nobody", needs: []string{"setsid"}, run: holder(2500 * time.Millisecond)},
		{name: "escapee", group: groupMatrix, does: "a process that left the session and ignores SIGTERM is dead after the end", needs: []string{"setsid"}, bare: nobodyContains, run: escapee("", graceLimit)},
		{name: "orphan-adopted", group: groupMatrix, does: "an orphan is adopted by the wrapper, not by init", needs: []string{"linux"}, bare: nobodyContains, run: orphanAdopted},
		{name: "orphan-reaped", group: groupMatrix, does: "no zombie is left under the wrapper", needs: []string{"linux"}, run: zombies(20)},
		{name: "holder-fast", group: groupNasty, does: "the same within half a second, output and exit code complete", needs: []string{"setsid"}, run: holder(500 * time.Millisecond)},
		{name: "escapee-return", group: groupNasty, does: "an escapee does not keep the wrapper: exit 0 in 2 s, then nothing of it lives", needs: []string{"setsid"}, bare: nobodyContains, run: escapee("", 2*time.Second)},
		{name: "escapee-env", group: groupNasty, does: "an escapee with an empty environment is found as well", needs: []string{"setsid"}, bare: nobodyContains, run: escapee("env -i ", graceLimit)},
		{name: "zombies-500", group: groupInit, does: "five hundred orphans that end leave no zombie", needs: []string{"linux"}, run: zombies(500)},
	}
}

// holder is tried three times: a busy machine may be slow once.
func holder(limit time.Duration) func(*lab) {
	return func(l *lab) {
		best := time.Hour
		for range 3 {
			s := l.held("sh", "-c", `(setsid sleep 30 &); echo done; exit 4`)
			took := stopwatch()
			s.begin()
			s.see("done\r\n")
			s.wantRC(4, startLimit)
			best = min(best, took())
			l.must(s.Close())
		}
		l.want(best < limit, "returned after %v, want %v", best.Round(time.Millisecond), limit)
		l.note("%v", best.Round(time.Millisecond))
	}
}

func escapee(env string, limit time.Duration) func(*lab) {
	return func(l *lab) {
		hold := shellJoin(l.probe("hold", l.path("pid"), "TERM", "HUP", "INT"))
		took := stopwatch()
		s := l.heldSh(env + `setsid ` + hold + ` </dev/null >/dev/null 2>&1 & while [ ! -s ` + l.path("pid") + ` ]; do sleep .02; done`)
		s.wantRC(0, limit)
		returned := took()
		after := l.gone(l.number("pid"), "the escapee", graceLimit)
		l.note("returned after %v, escapee dead %v later", returned.Round(10*time.Millisecond), after.Round(10*time.Millisecond))
	}
}

func orphanAdopted(l *lab) {
	hold := shellJoin(l.probe("hold", l.path("pid")))
	// The shell leaves its number after the subshell between it and the orphan is gone.
	s := l.heldSh(`cd ` + l.dir + `; (` + hold + ` &); echo $$ >shell; while [ ! -e on ]; do sleep .02; done`)
	s.wrapper()
	l.number("shell")
	orphan, _ := readStat(l.number("pid"))
	l.want(orphan.ppid != 1 && orphan.ppid != os.Getpid(), "adopted by init")
	l.write("on", "")
	s.wantRC(0, graceLimit+startLimit)
}

func zombies(count int) func(*lab) {
	return func(l *lab) {
		s := l.heldSh(`cd ` + l.dir + `; i=0; while [ $i -lt ` + itoa(count) + ` ]; do (sleep .01 &); i=$((i+1)); done; echo started; read x`)
		s.wrapper()
		l.must(s.Expect("started", 20*time.Second))
		// The sleeps are over when only wrapper, its helpers and the command remain. Orphans that this program adopted, because the
		// wrapper did not, are not below the wrapper.
		l.until(startLimit, "reaping", func() bool {
			below := descendants(s.wrapper())
			isZombie := func(p stat) bool { return p.state == 'Z' }
			return len(below) <= maxHelpers && !slices.ContainsFunc(below, isZombie)
		})
		s.typeIn("\n")
		s.wantRC(0, startLimit)
	}
}
