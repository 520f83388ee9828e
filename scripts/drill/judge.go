//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// theirs are the living processes of the runs.
func (st *stage) theirs() (map[process]string, error) {
	all, err := proc.All()
	found := map[process]string{}
	for _, p := range all {
		args, err := proc.Args(p.PID)
		if err != nil || p.Dead() {
			continue
		}
		if ran, _ := st.ours(args); ran && p.PID != os.Getpid() {
			found[process{p.PID, p.Start}] = strings.Join(args, " ")
		}
	}
	return found, err
}

// judge sweeps twice and counts after each.
func (st *stage) judge(ctx context.Context) error {
	before, err := st.theirs()
	if err != nil {
		return err
	}
	st.escaped = len(before)
	first, code, took, err := st.reap(ctx)
	if err != nil {
		return err
	}
	st.first = took
	if err := st.count(ctx, "first", first, code); err != nil {
		return err
	}
	second, code, took, err := st.reap(ctx)
	if err != nil {
		return err
	}
	st.second = took
	if n := len(second.Runs); n > 0 {
		st.fault("the second sweep settled %d rows", n)
	}
	for _, p := range second.Processes {
		if p.Action == "stop" {
			st.fault("the second sweep stopped %d %s", p.PID, p.Command)
		}
	}
	return st.count(ctx, "second", second, code)
}

// count holds the machine and the ledger against what is promised.
func (st *stage) count(ctx context.Context, which string, s sweep, code int) error {
	if code != 0 {
		st.fault("the %s sweep exited with %d: %v", which, code, s.Errors)
	}
	reported := map[int]string{}
	for _, p := range s.Processes {
		if p.Action == "report" {
			reported[p.PID] = strings.Join(p.Proofs, "+")
		}
	}
	left, err := st.theirs()
	if err != nil {
		return err
	}
	st.named = nil
	for p, line := range left {
		proofs, named := reported[p.pid]
		if named && (st.rash || !st.grouped) {
			st.named = append(st.named, fmt.Sprintf("%s (%s)", line, proofs))
			continue
		}
		st.fault("after the %s sweep %d lives: %s (reported with %q)", which, p.pid, line, proofs)
	}
	for _, p := range append(st.looks, st.extra...) {
		if alive, halted := p.alive(); !alive || halted {
			st.fault("after the %s sweep bystander %d: alive %v, halted %v", which, p.pid, alive, halted)
		}
	}
	return st.countRows(ctx, which)
}

// countRows asks for open rows, and for control groups that nobody removed.
func (st *stage) countRows(ctx context.Context, which string) error {
	out, _, err := st.run(ctx, "ps", "--json")
	if err != nil {
		return err
	}
	var open struct{ Executions []struct{ UID string } }
	if err := json.Unmarshal(out, &open); err != nil {
		return err
	}
	if n := len(open.Executions); n > 0 {
		st.fault("after the %s sweep %d rows are open", which, n)
	}
	if left := subgroups(st.group); left > 0 && len(st.named) == 0 {
		st.fault("after the %s sweep %d control groups are left", which, left)
	}
	return nil
}

// clear removes every process and file of the drill, each process by its identity.
func (st *stage) clear() {
	for range 50 {
		all, err := proc.All()
		found := false
		for _, p := range all {
			args, argsErr := proc.Args(p.PID)
			if err != nil || argsErr != nil || p.Dead() {
				continue
			}
			if run, looker := st.ours(args); (run || looker) && p.PID != os.Getpid() {
				found = true
				_ = proc.Signal(p.PID, p.Start, syscall.SIGKILL)
			}
		}
		removeGroup(st.group)
		if !found && subgroups(st.group) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	removeGroup(st.group)
	_ = os.RemoveAll(st.dir)
}
