package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// drillEnv marks everything a drill starts that keeps its environment.
const drillEnv = "OCR_RUN_SELFTEST"

// Bounds of a drill.
const (
	// stepLimit is how long one step may take: several times what the slowest takes
	// on a busy machine.
	stepLimit = 20 * time.Second
	// drillLimit is how long all of them may take together.
	drillLimit = time.Minute
	// lookEvery is how often a step looks whether what it waits for has come.
	lookEvery = 20 * time.Millisecond
	// goneLimit is how long what a step has started may take to vanish behind it.
	goneLimit = 3 * time.Second
	// lifetime is how long, in seconds, a process of the drill lives by itself: should
	// the drill be killed with -9, nothing outlives it for long.
	lifetime = "58"
)

// The verdicts on a step.
const (
	stepPassed  = "passed"
	stepFailed  = "failed"
	stepSkipped = "skipped"
)

// drillStep is one fault.
type drillStep struct {
	name string
	// run brings it about and says what was seen. Its error is the reason why the
	// step failed, or a skipped.
	run func(context.Context, *bed) (seen string, err error)
}

// skipped is the reason why a step cannot be made on this machine.
type skipped string

// Error is the reason.
func (s skipped) Error() string { return string(s) }

// drill is one fault drill: a directory, and a program that is tried out in it.
type drill struct {
	environment
	// program is the ocr-run that is tried out.
	program string
	// root is the directory everything is in.
	root string
	// id is the value of drillEnv.
	id string
	// self is this process.
	self proc.Process
}

// newDrill makes the directory. From here on this process is the parent of whatever
// it has started that loses its own, where the system can do that: nothing of it
// gets out of sight.
func (c call) newDrill(tested string) (*drill, error) {
	self, err := proc.Self()
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "ocr-run-selftest-")
	if err != nil {
		return nil, err
	}
	_ = proc.BecomeSubreaper() // elsewhere the marks and the pid files have to do
	return &drill{environment: c.environment, program: tested, root: root, id: rand.Text(), self: self}, nil
}

// remove takes the directory away.
func (d *drill) remove() error { return os.RemoveAll(d.root) }

// perform makes one step and clears up behind it. What it leaves running is stopped,
// and makes it fail.
func (d *drill) perform(ctx context.Context, s drillStep) render.SelftestStep {
	began := d.clock.Now().Awake
	b, err := d.newBed(s.name)
	var seen string
	if err == nil {
		seen, err = b.perform(ctx, s)
	}
	if left := d.clear(ctx); len(left) > 0 && ctx.Err() == nil {
		err = errors.Join(err, fmt.Errorf("left running, and stopped now: %s", strings.Join(left, ", ")))
	}
	step := render.SelftestStep{Name: s.name, Verdict: stepPassed, Detail: seen, DurationMS: (d.clock.Now().Awake - began).Milliseconds()}
	if err != nil {
		step.Verdict, step.Detail = stepFailed, err.Error()
	}
	if reason, ok := errors.AsType[skipped](err); ok {
		step.Verdict, step.Detail = stepSkipped, string(reason)
	}
	return step
}

// clear stops what is left of a step, and names it. What is about to end by itself
// gets the time for it.
func (d *drill) clear(ctx context.Context) []string {
	defer d.forget()
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), goneLimit)
	defer cancel()
	if ctx.Err() == nil && d.await(bounded, func() bool { return len(d.living()) == 0 }) == nil {
		reapAdopted()
		return nil
	}
	groups := d.groups()
	report := proc.StopUntilQuiet(context.WithoutCancel(ctx), proc.StopConfig{
		Census: d.census, First: unix.SIGKILL, Now: func() time.Duration { return d.clock.Now().Awake }, Reap: reapAdopted,
	})
	reapAdopted()
	for _, g := range groups {
		// The kernel takes the dead out one by one; our own group stays.
		_ = d.await(bounded, func() bool {
			members, err := g.Members()
			return g.Remove() == nil || err != nil || slices.Contains(members, d.self.PID)
		})
	}
	var names []string
	for _, s := range report.Stopped {
		names = append(names, fmt.Sprintf("%d (%s)", s.Process.PID, s.Command))
	}
	for _, r := range report.Remaining {
		names = append(names, fmt.Sprintf("%d (%s), which cannot be stopped: %s", r.Process.PID, r.Command, r.Reason))
	}
	return names
}

// groups are the control groups of runs that the drill's processes are in: nobody
// removes those of runs that are killed as a whole.
func (d *drill) groups() (all []proc.Group) {
	for _, p := range d.living() {
		path, err := proc.Cgroup(p.PID)
		if g, there := proc.GroupAt(path); err == nil && there && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// living are the processes of the drill that live; on trouble with the process table
// one that is none.
func (d *drill) living() []proc.Process {
	all, err := d.census()
	if err != nil {
		return []proc.Process{{}}
	}
	return slices.DeleteFunc(all, proc.Process.Dead)
}

// census lists the processes of the drill: those below us, and, where a process that
// has lost its parent goes elsewhere, those that are marked or have left their pid.
func (d *drill) census() ([]proc.Process, error) {
	found, err := proc.Descendants(d.self.PID)
	if err != nil {
		return nil, err
	}
	all, err := proc.All()
	if err != nil {
		return nil, err
	}
	noted := d.noted()
	for _, p := range all {
		known := slices.ContainsFunc(found, func(q proc.Process) bool { return q.PID == p.PID })
		if known || p.PID == d.self.PID || p.Start < d.self.Start || p.Dead() {
			continue
		}
		value, _, _ := proc.LookupEnv(p.PID, drillEnv) // one that cannot be read is not marked
		written, inFile := noted[p.PID]
		if value == d.id || inFile && !began(p, d.clock.Now()).After(written.Add(coarse)) {
			found = append(found, p)
		}
	}
	return found, nil
}

// coarse is how much later than its file was written a process may seem to have begun:
// the kernel counts both in steps.
const coarse = 20 * time.Millisecond

// noted are the pids that processes of the drill have written down, and when. Who
// began later is somebody else, to whom the number has gone.
func (d *drill) noted() map[int]time.Time {
	noted := map[int]time.Time{}
	for _, file := range d.pidFiles() {
		info, err := os.Stat(file)
		if pid := readPID(file); pid > 0 && err == nil {
			noted[pid] = info.ModTime()
		}
	}
	return noted
}

// pidFiles are the files in which processes of the drill write down their pid.
func (d *drill) pidFiles() []string {
	files, _ := filepath.Glob(filepath.Join(d.root, "*", pidDir, "*")) // the pattern is right
	return files
}

// forget removes the pids that were written down: nobody has them any more.
func (d *drill) forget() {
	for _, file := range d.pidFiles() {
		_ = os.Remove(file) // what stays is held against its time
	}
}

// readPID is the number in a file, 0 while there is none.
func readPID(file string) int {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b))) // half a number is followed by the whole one
	return pid
}

// reapAdopted takes in the exits of processes that have become our children. It is
// called when nobody waits for a child of his own.
func reapAdopted() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if pid <= 0 && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// await looks again and again until something is the case.
func (d *drill) await(ctx context.Context, is func() bool) error {
	for !is() {
		if err := clock.Wait(ctx, lookEvery); err != nil {
			return err
		}
	}
	return nil
}
