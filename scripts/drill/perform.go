//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// atOnce is how many runs play at a time.
const atOnce = 24

// patience bounds every wait for a run, on the busiest machine.
const patience = 90 * time.Second

// perform plays all runs, each to its death.
func (st *stage) perform(ctx context.Context) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		slots = make(chan struct{}, atOnce)
		fails []error
	)
	for n := range st.runs {
		r := cast(st.rng, n, st.scenario)
		for _, e := range r.escapes {
			st.kinds[e.name]++
		}
		st.died[r.death]++
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			ids, err := st.live(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			st.ids = append(st.ids, ids...)
			if err != nil {
				fails = append(fails, fmt.Errorf("run %d (%s, then %s): %w", r.n, r.names(), r.death, err))
			}
		})
		// The rest of the audience comes in the middle, and looks like those who play.
		if n == st.runs/2 {
			if err := st.invite(ctx, st.bystanders/4, st.lookalikes(ctx)); err != nil {
				fails = append(fails, err)
			}
		}
	}
	wg.Wait()
	if len(fails) > 0 {
		return fails[0]
	}
	return st.recycle(ctx, st.bystanders-len(st.looks))
}

// live plays one run, and returns the pids it had.
func (st *stage) live(ctx context.Context, r role) (ids []int, err error) {
	ready := filepath.Join(st.dir, "runs", strconv.Itoa(r.n))
	cmd, done, err := st.command(ctx, st.ocrRun, "--quiet", "--grace", "1s", "--", "sh", "-c", r.script(ready))
	if err != nil {
		return nil, err
	}
	defer done()
	master, err := raise(cmd, r.pty)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	agent, err := await(ready, ended)
	if err != nil {
		return nil, err
	}
	wrapper := identity(cmd.Process.Pid)
	monitor := monitorOf(wrapper.pid)
	time.Sleep(time.Duration(r.linger) * time.Millisecond)
	r.die(wrapper, monitor, identity(agent), master)
	select {
	case <-ended:
	case <-time.After(patience):
		return nil, fmt.Errorf("its wrapper is still there")
	}
	if master != nil {
		_ = master.Close()
	}
	// A monitor that outlives its wrapper tidies up first.
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if alive, _ := monitor.alive(); !alive {
			return []int{wrapper.pid, monitor.pid, agent}, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("its monitor is still there")
		}
	}
}

// raise starts a run, on a terminal of its own or without one.
func raise(cmd *exec.Cmd, onTerminal bool) (master *os.File, err error) {
	if !onTerminal {
		cmd.SysProcAttr.Setsid = true
		return nil, cmd.Start()
	}
	if master, err = pty.StartWithAttrs(cmd, nil, withTerminal(cmd.SysProcAttr)); err != nil {
		return nil, err
	}
	if master, err = pollable(master); err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, master) }()
	return master, nil
}

// pollable exchanges a terminal for one whose Close ends a Read: nobody hangs up
// while a read is under way.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	return os.NewFile(uintptr(fd), f.Name()), err
}

// withTerminal adds a controlling terminal.
func withTerminal(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	attr.Setsid, attr.Setctty = true, true
	return attr
}

// die ends a run in its way.
func (r role) die(wrapper, monitor, agent process, master *os.File) {
	kill := func(p process) { _ = proc.Signal(p.pid, p.start, syscall.SIGKILL) }
	switch r.death {
	case "wrapper":
		kill(wrapper)
	case "agent":
		kill(agent)
	case "terminal":
		_ = master.Close()
	case "both":
		kill(wrapper)
		kill(agent)
	case "all":
		kill(monitor)
		kill(wrapper)
	}
}

// await waits until a run has started everything, and returns its command's pid.
func await(ready string, ended <-chan struct{}) (int, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if b, err := os.ReadFile(ready); err == nil {
			return strconv.Atoi(strings.TrimSpace(string(b)))
		}
		select {
		case <-ended:
			return 0, fmt.Errorf("it ended before it was ready")
		case <-time.After(5 * time.Millisecond):
		}
	}
	return 0, fmt.Errorf("it never was ready")
}

// identity names a process; one that is gone never matches.
func identity(pid int) process {
	p, err := proc.Read(pid)
	if err != nil {
		return process{pid: pid}
	}
	return process{pid, p.Start}
}

// monitorOf finds the monitor of a wrapper.
func monitorOf(wrapper int) process {
	children, _ := proc.Children(wrapper)
	for _, pid := range children {
		if args, err := proc.Args(pid); err == nil && len(args) > 0 && strings.HasSuffix(args[0], "monitor") {
			return identity(pid)
		}
	}
	return process{pid: -1}
}

// lookalikes are environments that look like those of runs: of no run, of a run
// with another lineage, and a copy of a real one.
func (st *stage) lookalikes(ctx context.Context) [][]string {
	envs := [][]string{{"OCR_RUN_UID=01a1fe78-0000-7000-8000-000000000000", "OCR_RUN_LINEAGE=01a1fe78-0000-7000-8000-000000000000"}}
	out, _, err := st.run(ctx, "ps", "--json")
	var live struct{ Executions []struct{ UID string } }
	if err != nil || json.Unmarshal(out, &live) != nil {
		return envs
	}
	for _, e := range live.Executions {
		envs = append(envs,
			[]string{"OCR_RUN_UID=" + e.UID, "OCR_RUN_LINEAGE=other/" + e.UID},
			[]string{"OCR_RUN_UID=" + e.UID, "OCR_RUN_LINEAGE=" + e.UID})
	}
	return envs
}

// invite starts bystanders, a third of them under names that runs have.
func (st *stage) invite(ctx context.Context, n int, envs [][]string) error {
	names := []string{"", "", "", "", "", "", filepath.Join(st.dir, "ocr-run"), filepath.Join(st.dir, "claude"), "ocr-run: monitor"}
	for range n {
		var env []string
		if len(envs) > 0 {
			env = pick(st.rng, envs)
		}
		p, err := st.begin(ctx, env, pick(st.rng, names), "sleep", "3600", st.looker(len(st.looks)))
		if err != nil {
			return err
		}
		st.looks = append(st.looks, p)
	}
	return nil
}
