package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb/ocrdbtest"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// project is a workspace that the product drives, with a ledger of its own.
type project struct {
	bench
	ocrdbtest.Product
}

func newProject(t *testing.T, era string) project {
	t.Helper()
	b := newBench(t)
	p := project{b, ocrdbtest.In(b.dir)}
	if err := p.Install(filepath.Join("..", "..", "store", "ocrdb", "testdata", era+".db")); err != nil {
		t.Fatal(err)
	}
	return p
}

// wrapped is a run of a command as a process of its own.
func (p project) wrapped(ctx context.Context, words ...string) *exec.Cmd {
	cmd := p.state(ctx, "")
	cmd.Args, cmd.Stdin = append([]string{"ocr-run"}, words...), nil
	return cmd
}

// rows is a query that must work.
func (p project) rows(t *testing.T, query string, args ...any) []string {
	t.Helper()
	lines, err := p.Rows(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// crowded is one run of a crowd. Its command says that it runs, and ends when told.
type crowded struct {
	cmd    *exec.Cmd
	in     io.Closer
	killed bool
}

// Many runs begin, live and end in one project at once, some of them killed, while the
// product's own programs write: every row of the product is as it was, every run has
// its end, the killed ones after a sweep, and the file is as its era wants it.
func TestACrowdOfRunsInOneProject(t *testing.T) {
	t.Parallel()
	crowd := 50
	if raceDetector {
		crowd = 12
	}
	for _, era := range []string{"v11", "v14"} {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, era)
			before := p.rows(t, "SELECT * FROM command_executions ORDER BY id")
			runs := make([]crowded, crowd)
			var all sync.WaitGroup
			for i := range runs {
				all.Go(func() { runs[i] = p.crowd(t, i) })
			}
			theirs := 0
			for ; theirs < 10; theirs++ {
				err := p.Exec(t.Context(), "INSERT INTO command_executions (uid, command, started_at) VALUES (?, 'ocr progress', datetime('now'))", fmt.Sprint("theirs-", theirs))
				if err != nil {
					t.Error(err)
				}
			}
			all.Wait()
			for i := range runs {
				if runs[i].killed = i%5 == 0; runs[i].killed {
					_ = runs[i].cmd.Process.Kill() // it is a child of ours that has not been waited for
				}
			}
			for i, r := range runs {
				all.Go(func() { r.finish(t, i) })
			}
			all.Wait()
			p.checkCrowd(t, runs, before, theirs)
		})
	}
}

// crowd starts a run and waits until its command runs.
func (p project) crowd(t *testing.T, i int) crowded {
	c := crowded{cmd: p.wrapped(t.Context(), "--name", fmt.Sprint("run-", i), "sh", "-c", fmt.Sprintf("echo up; read line; exit %d", i%3))}
	in, err := c.cmd.StdinPipe()
	out, outErr := c.cmd.StdoutPipe()
	if err != nil || outErr != nil || c.cmd.Start() != nil {
		t.Error("run does not start", err, outErr)
		return c
	}
	c.in = in
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Errorf("run %d says %q, %v", i, line, err)
	}
	return c
}

// finish lets the command of a run end and waits for the run.
func (c crowded) finish(t *testing.T, i int) {
	if c.in == nil {
		return
	}
	_ = c.in.Close() // the killed ones' reader may be gone
	_ = c.cmd.Wait() // judged by its code
	if got := c.cmd.ProcessState.ExitCode(); !c.killed && got != i%3 {
		t.Errorf("run %d exits %d, want %d", i, got, i%3)
	}
}

// checkCrowd looks at what a crowd has left behind.
func (p project) checkCrowd(t *testing.T, runs []crowded, before []string, theirs int) {
	t.Helper()
	if err := p.Sound(t.Context()); err != nil {
		t.Error(err)
	}
	after := p.rows(t, "SELECT * FROM command_executions WHERE id >= 0 AND uid IS NULL OR id >= 0 AND uid NOT LIKE 'theirs-%' ORDER BY id")
	if !slices.Equal(after, before) {
		t.Errorf("rows of the product:\n%s\nwere:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	if got := p.rows(t, "SELECT count(*) FROM command_executions WHERE uid LIKE 'theirs-%'"); got[0] != fmt.Sprint(theirs) {
		t.Errorf("%s rows that the product wrote meanwhile, want %d", got[0], theirs)
	}
	p.sweepLater(t)
	for i, r := range runs {
		want := []string{fmt.Sprint(i % 3)}
		if r.killed {
			// Its command may have ended before the monitor could end it.
			want = append(want, "-3")
		}
		got := p.rows(t, "SELECT coalesce(exit_code, 'open') FROM command_executions WHERE name = ? AND id < 0", fmt.Sprint("run-", i))
		if len(got) != 1 || !slices.Contains(want, got[0]) {
			t.Errorf("run %d, killed %v, has ends %q, want one of %q", i, r.killed, got, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(p.Path), "*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

// later is the machine's clock two minutes on.
type later struct{ clock.Clock }

// Now is the time.
func (l later) Now() clock.Reading {
	r := l.Clock.Now()
	r.Wall, r.Awake = r.Wall.Add(2*time.Minute), r.Awake+2*time.Minute
	return r
}

// sweepLater does what the sweep of a run would that starts when those that are over
// have rested.
func (p project) sweepLater(t *testing.T) {
	t.Helper()
	l, e := storetest.Open(t, p.ledger), processEnvironment()
	e.clock = later{e.clock}
	open := []store.Execution{{}}
	for deadline := time.Now().Add(20 * time.Second); len(open) > 0 && time.Now().Before(deadline); {
		if err := e.settle(t.Context(), l, filepath.Dir(p.ledger)); err != nil {
			t.Error(err)
		}
		var err error
		if open, err = l.Unsettled(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.settleHosts(t.Context(), l); err != nil || len(open) > 0 {
		t.Errorf("%d runs are open, %v", len(open), err)
	}
}

// A database that somebody keeps locked holds no command up, and no end for long. The
// outcome is what can be known: of a workflow that cannot be read, nothing.
func TestALockedDatabaseHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		era       string
		all       bool
		exit, end int
	}{
		{"v11", false, 0, 0},
		{"v11", true, 0, exitIncomplete},
		{"v11", true, 3, 3},
		{"v14", false, 0, 0},
		{"v14", true, 0, exitIncomplete},
		{"v14", true, 3, 3},
	} {
		t.Run(fmt.Sprintf("%s all %v exit %d", c.era, c.all, c.exit), func(t *testing.T) {
			t.Parallel()
			p := newProject(t, c.era)
			release, err := p.Hold(t.Context(), c.all)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			cmd := p.wrapped(t.Context(), "sh", "-c", fmt.Sprintf("echo up; exit %d", c.exit))
			cmd.Env = append(cmd.Env, envDashboardUID+"=0d9c1f6a-8f6e-4a51-9d0e-5b6f1f4c0008")
			up, err := cmd.StdoutPipe()
			if err != nil || cmd.Start() != nil {
				t.Fatal("run does not start", err)
			}
			_, _ = bufio.NewReader(up).ReadString('\n') // the time is what counts
			launched := time.Since(began)
			_ = cmd.Wait() // judged by its code
			ended := time.Since(began) - launched
			if err := release(); err != nil {
				t.Error(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != c.end {
				t.Errorf("exits %d, want %d", got, c.end)
			}
			// 0.3 s at the start, 5 s to read the workflow at the end and 0.3 s more for
			// the row; and what a slow machine takes itself.
			if !raceDetector && (launched > 2*time.Second || ended > 7*time.Second) {
				t.Errorf("launched after %v, ended %v later", launched, ended)
			}
			t.Logf("launched after %v, ended %v later", launched, ended)
		})
	}
}

// A uid that the dashboard made is told from ours by its kind.
func TestOurUID(t *testing.T) {
	t.Parallel()
	for uid, want := range map[string]bool{
		"01975e3a-0000-7000-8000-0000aaaa0001": true,
		"0d9c1f6a-8f6e-4a51-9d0e-5b6f1f4c0001": false,
		"":                                     false,
		"run-1":                                false,
	} {
		if got := ourUID(uid); got != want {
			t.Errorf("ourUID(%q) = %v", uid, got)
		}
	}
}
