package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/supervisor"
)

// envDetached tells a wrapper that it is one in the background, and which file its
// output goes to. It never reaches the command.
const envDetached = "OCR_RUN_DETACHED"

// detachment is what a wrapper in the background knows of itself; zero for any
// other.
type detachment struct{ uid, log string }

// detached takes apart the environment of a wrapper in the background. From its
// first moment it carries the marker of its own run, or the end of the run it was
// started in would take it for something left behind; everybody inside it sees the
// environment of its caller.
func (e environment) detached() (environment, detachment) {
	log := e.get(envDetached)
	if log == "" {
		return e, detachment{}
	}
	d := detachment{uid: e.get(supervisor.EnvUID), log: log}
	lineage := strings.TrimSuffix(strings.TrimSuffix(e.get(supervisor.EnvLineage), d.uid), "/")
	parent := lineage[strings.LastIndexByte(lineage, '/')+1:]
	e.environ = slices.DeleteFunc(slices.Clone(e.environ), func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{envDetached, supervisor.EnvUID, supervisor.EnvLineage}, key)
	})
	if parent != "" {
		e.environ = append(e.environ, supervisor.EnvUID+"="+parent, supervisor.EnvLineage+"="+lineage)
	}
	inner := e.environ
	e.lookup = func(key string) (string, bool) { return valueIn(inner, key) }
	return e, d
}

// environ is the environment that such a wrapper is started with by e: what detached
// takes apart.
func (d detachment) environ(e environment) []string {
	lineage := d.uid
	if up := cmp.Or(e.get(supervisor.EnvLineage), e.get(supervisor.EnvUID)); up != "" {
		lineage = up + "/" + d.uid
	}
	return overlay(e.environ, []string{
		supervisor.EnvUID + "=" + d.uid, supervisor.EnvLineage + "=" + lineage, envDetached + "=" + d.log,
	})
}

// word is what a wrapper in the background says to the one that started it.
type word struct {
	View render.FlowRun `json:"view"`
	// Code is the exit code of a refusal, Said its text.
	Code int    `json:"code"`
	Said string `json:"said,omitempty"`
}

// detach starts the wrapper in the background, and prints what it says.
func (r *flowRun) detach(ctx context.Context) error {
	dir, err := r.stateDir()
	if err != nil {
		return &verbError{thing: "ledger", err: err, try: "export HOME, or XDG_STATE_HOME as an absolute path"}
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make execution uid: %w", err)
	}
	log, err := openLog(dir, r.opts.log, uid.String())
	if err != nil {
		return &verbError{thing: r.verb, err: err, try: program + " " + r.verb + " --log FILE"}
	}
	defer log.Close() //nolint:errcheck // the wrapper has its own
	said, err := r.startDetached(ctx, uid.String(), log)
	if err != nil {
		return &verbError{thing: r.verb, err: err, try: "cat " + log.Name()}
	}
	return r.retell(said, log.Name())
}

// openLog opens the file for the output of a run in the background.
func openLog(stateDir, path, uid string) (*os.File, error) {
	if path == "" {
		path = reaper.LogPath(stateDir, uid)
		if err := runfile.MakeDir(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("make log directory: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return f, nil
}

// startDetached starts this program again, in a session of its own and with the
// arguments it has, and waits for its first word.
func (r *flowRun) startDetached(ctx context.Context, uid string, log *os.File) (said word, err error) {
	self, err := ownProgram()
	if err != nil {
		return said, err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return said, fmt.Errorf("make pipe: %w", err)
	}
	defer ours.Close() //nolint:errcheck // it is only read
	// It outlives us: the context must not end it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, r.args...)
	cmd.Args[0] = program
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = r.dir, log, log, []*os.File{theirs}
	cmd.Env = detachment{uid: uid, log: log.Name()}.environ(r.environment)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = supervisor.AsFound(cmd.Start)
	_ = theirs.Close()
	if err != nil {
		return said, fmt.Errorf("start a wrapper in the background: %w", err)
	}
	err = json.NewDecoder(ours).Decode(&said)
	if err != nil {
		return said, fmt.Errorf("the wrapper in the background ended before it said anything: %w", errors.Join(err, cmd.Wait()))
	}
	return said, cmd.Process.Release()
}

// retell prints what the wrapper in the background has said.
func (r *flowRun) retell(said word, log string) error {
	switch {
	case said.View.Created:
		said.View.Log = &log
	case r.opts.log == "":
		_ = os.Remove(log) // nothing will be written to it
	}
	var err error
	switch {
	case r.flags.Bool("json"):
		err = r.printJSON(said.View)
	case said.View.Created:
		err = r.printText(render.FlowRunText(r.style(), said.View))
	}
	if said.Code != exitOK {
		_, _ = io.WriteString(r.stderr, said.Said)
		return errors.Join(err, answered(said.Code))
	}
	return err
}

// inBackground runs it as the wrapper in the background.
func (r *flowRun) inBackground(ctx context.Context, d detachment, name string) error {
	const reportFD = 3
	unix.CloseOnExec(reportFD)
	pipe := os.NewFile(reportFD, "report")
	r.opts.uid, r.opts.log, r.opts.background = d.uid, "", d
	r.report = func(view render.FlowRun, refusal error) error {
		said := word{View: view}
		if refusal != nil {
			var text strings.Builder
			said.Code = reportTo(&text, refusal)
			said.Said = text.String()
		}
		err := errors.Join(json.NewEncoder(pipe).Encode(said), pipe.Close())
		if refusal != nil {
			return answered(said.Code)
		}
		if err != nil {
			r.note("%s: nobody waits for the answer: %s", r.verb, err)
		}
		return nil
	}
	return r.found(ctx, name)
}
