//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// stage is where one scenario is played.
type stage struct {
	scenario
	result

	ocrRun string
	rng    *rand.Rand
	dir    string
	self   string
	hop    string
	// group is the control group all of it is in, empty without.
	group string
	extra []process // what keeps the machine busy
	looks []process // the bystanders
	// ids are the pids that the ledger remembers of processes that are dead.
	ids []int
}

// process tells two processes of one boot apart.
type process struct {
	pid   int
	start uint64
}

// alive says whether it is there, and not halted.
func (p process) alive() (alive, halted bool) {
	is, err := proc.Read(p.pid)
	if err != nil || is.Start != p.start || is.Dead() {
		return false, false
	}
	return true, is.Stopped()
}

// nobody is the unprivileged user.
const nobody = 65534

// play plays a scenario from the first bystander to the last count.
func play(ctx context.Context, o options, s scenario) (*result, error) {
	st := &stage{ocrRun: o.ocrRun, scenario: s, rng: rand.New(rand.NewPCG(s.seed, s.seed))}
	st.kinds, st.died = map[string]int{}, map[string]int{}
	err := st.build()
	defer st.clear()
	if err != nil {
		return nil, err
	}
	if err := st.keepBusy(ctx); err != nil {
		return nil, err
	}
	// A part of the audience comes when there is something to look like.
	if err := st.invite(ctx, st.bystanders/2, nil); err != nil {
		return nil, err
	}
	if err := st.perform(ctx); err != nil {
		return nil, err
	}
	return &st.result, st.judge(ctx)
}

// build makes the scratch directory, and the control group.
func (st *stage) build() (err error) {
	if st.dir, err = os.MkdirTemp("", "ocr-run-drill-"); err != nil {
		return err
	}
	if st.self, err = os.Executable(); err != nil {
		return err
	}
	st.hop = filepath.Join(st.dir, "hop")
	if err := os.WriteFile(st.hop, []byte(hopScript), 0o755); err != nil {
		return err
	}
	for _, name := range []string{"state", "runs"} {
		if err := os.Mkdir(filepath.Join(st.dir, name), 0o700); err != nil {
			return err
		}
		if err := st.give(filepath.Join(st.dir, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"ocr-run", "claude", "ocr-run-monitor"} {
		// Names prove nothing, and these are to prove it.
		sleep, err := exec.LookPath("sleep")
		if err != nil {
			return err
		}
		if err := os.Symlink(sleep, filepath.Join(st.dir, name)); err != nil {
			return err
		}
	}
	if err := os.Chmod(st.dir, 0o711); err != nil {
		return err
	}
	if st.grouped {
		st.group, err = makeGroup(fmt.Sprintf("drill-%d-%s", os.Getpid(), st.name), st.unprivileged)
	}
	return err
}

// give makes a file the unprivileged user's, where he is the one.
func (st *stage) give(path string) error {
	if !st.unprivileged || os.Getuid() != 0 {
		return nil
	}
	return os.Chown(path, nobody, nobody)
}

// command is a command as the scenario's user, in the scenario's control group,
// with few descriptors where that is wished.
func (st *stage) command(ctx context.Context, argv ...string) (cmd *exec.Cmd, done func(), err error) {
	if st.files > 0 {
		argv = append([]string{"sh", "-c", "ulimit -n " + strconv.Itoa(st.files) + `; exec "$@"`, "sh"}, argv...)
	}
	cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = st.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + st.dir, "XDG_STATE_HOME=" + filepath.Join(st.dir, "state"),
		"DRILL=" + st.self, "HOP=" + st.hop,
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if st.unprivileged && os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: false}
	}
	done, err = enter(cmd.SysProcAttr, st.group)
	return cmd, done, err
}

// keepBusy occupies every processor.
func (st *stage) keepBusy(ctx context.Context) error {
	if !st.busy {
		return nil
	}
	for range 4 {
		p, err := st.begin(ctx, nil, "", "sh", "-c", "while :; do :; done", st.looker(99_999))
		if err != nil {
			return err
		}
		st.extra = append(st.extra, p)
	}
	return nil
}

// begin starts a process that is nobody's: in a session of its own, in no control
// group of the drill's, under another name where one is given.
func (st *stage) begin(ctx context.Context, env []string, name string, argv ...string) (process, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	if name != "" {
		cmd.Args[0] = name
	}
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if st.unprivileged && os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if err := cmd.Start(); err != nil {
		return process{}, err
	}
	go func() { _ = cmd.Wait() }()
	p, err := proc.Read(cmd.Process.Pid)
	return process{p.PID, p.Start}, err
}

// sweep is what `ocr-run reap --json` says.
type sweep struct {
	Runs []struct {
		UID, Action string
		Done        bool
	}
	Processes []struct {
		PID                  int
		Action, Command, UID string
		Proofs               []string
		Done                 bool
	}
	Errors []string
}

// reap sweeps once, and says how long it took and how it exited.
func (st *stage) reap(ctx context.Context) (s sweep, code int, took time.Duration, err error) {
	began := time.Now()
	out, code, err := st.run(ctx, "reap", "--yes", "--json")
	took = time.Since(began)
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	return s, code, took, err
}

// sweepLimit is how long one command may take on the busiest machine.
const sweepLimit = 3 * time.Minute

// run runs a verb of ocr-run.
func (st *stage) run(ctx context.Context, args ...string) (out []byte, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	cmd, done, err := st.command(ctx, append([]string{st.ocrRun}, args...)...)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= 0 {
		code, err = exit.ExitCode(), nil
	}
	if err != nil {
		err = fmt.Errorf("ocr-run %v: %w: %s", args, err, stderr.Bytes())
	}
	return stdout.Bytes(), code, err
}
