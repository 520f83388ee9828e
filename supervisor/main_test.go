package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// roleKey chooses what a copy of the test binary is.
const roleKey = "OCR_RUN_TEST_ROLE"

// orderKey carries the JSON of an order to a wrapper.
const orderKey = "OCR_RUN_TEST_ORDER"

// order is what a test wants a wrapper to do.
type order struct {
	UID       string
	Command   []string
	PTY       PTYMode
	NoMonitor bool
	OnHangup  HangupPolicy
	Leftovers wire.LeftoverPolicy
	Headless  bool
	// Agent names the command's kind, and Turn is how its last turn ended.
	Agent    string
	Turn     lifecycle.TurnState
	Timeout  time.Duration
	Grace    time.Duration
	StateDir string
	// StopSignal is the command's own, 0 for none, and WaitMS how long its launch is
	// put off.
	StopSignal syscall.Signal
	WaitMS     int64
	// FlowID is the flow the run was committed under.
	FlowID string
	// Early: the wrapper is sent TERM before the run begins.
	Early bool
	// Hold is a file that the command waits for once it is ready; empty for none.
	Hold string
	// Dies: the wrapper dies as its command did.
	Dies bool
	// Tap is a file for what Config.Tap sees; empty for none.
	Tap string
	// After is a shell script that the wrapper waits for once the run is over.
	After string
	// Result is the file the result is written to.
	Result string
}

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == heedArg: // what it inherits says that it is a wrapper
		os.Exit(heed())
	case os.Getenv(roleKey) == "wrapper":
		os.Exit(wrapperMain())
	}
	os.Exit(m.Run())
}

// heedArg makes the test binary a command that ends with 0 at an interrupt, whether it
// was started with interrupts ignored or not.
const heedArg = "-supervisor-heed"

// heed is that command. It says whether it was.
func heed() int {
	ignored := signal.Ignored(os.Interrupt)
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	fmt.Println("ignored:", ignored)
	<-c
	return 0
}

// wrapperMain runs one order as a wrapper process. It exits with the command's
// code, or 128 and its signal.
func wrapperMain() int {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(orderKey)), &o); err != nil {
		return 99
	}
	boot, err := clock.BootID()
	if err != nil {
		return 98
	}
	dir, err := os.Getwd()
	if err != nil {
		return 97
	}
	res := Run(context.Background(), Config{
		UID: o.UID, Lineage: o.UID, Command: o.Command, Path: o.Command[0], Dir: dir, Workspace: dir,
		Env:   append(os.Environ(), roleKey+"=", orderKey+"=", EnvUID+"="+o.UID, EnvLineage+"="+o.UID),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		PTY: o.PTY, NoMonitor: o.NoMonitor, OnHangup: o.OnHangup, Leftovers: o.Leftovers, Headless: o.Headless,
		Agent: o.Agent, Ended: lastTurn(o.Turn),
		Tap: tapTo(o.Tap), Through: [3]bool{1: true, 2: true}, Timeout: o.Timeout, Grace: o.Grace, Interval: time.Second, StateDir: o.StateDir,
		StopSignal: o.StopSignal, NotBefore: later(o.WaitMS), WaitsFor: waitsFor(o.WaitMS),
		FlowID: o.FlowID, Signals: early(o.Early), Announced: hold(o.Hold),
		Journal: testJournal(o.StateDir), Clock: clock.System(), BootID: boot,
		Machine: store.Identity{BootID: boot, PIDNamespace: proc.PIDNamespace()},
	})
	b, err := json.Marshal(res.Ending)
	if err != nil || os.WriteFile(o.Result, b, 0o600) != nil {
		return 95
	}
	if o.After != "" {
		after := exec.Command("/bin/sh", "-c", o.After)
		after.Stdin, after.Stdout, after.Stderr = os.Stdin, os.Stdout, os.Stderr
		if after.Run() != nil {
			return 93
		}
	}
	if errors.Is(res.LaunchError, errCalledOff) {
		return 128 + res.StopSignal
	}
	if res.Ending.Signal != nil {
		if o.Dies {
			DieOf(syscall.Signal(*res.Ending.Signal), res.Keyed)
		}
		return 128 + *res.Ending.Signal
	}
	if res.Ending.ExitCode == nil {
		return 94
	}
	return *res.Ending.ExitCode
}

// hold waits for a file.
func hold(path string) func(context.Context) {
	return func(context.Context) {
		within(patience, func() bool {
			_, err := os.Stat(path)
			return path == "" || err == nil
		})
	}
}

// lastTurn adds evidence of the last turn: one that is interrupted was so by a user, by its own account.
func lastTurn(state lifecycle.TurnState) func(context.Context, *store.Ending) {
	return func(_ context.Context, e *store.Ending) {
		switch {
		case state == lifecycle.TurnInterrupted:
			e.Evidence = append(e.Evidence, lifecycle.Evidence{Source: lifecycle.SourceRecord, TurnFailed: true, Points: lifecycle.CauseUser})
		case state != "":
			e.Evidence = append(e.Evidence, lifecycle.Evidence{Source: lifecycle.SourceRecord, Turn: lifecycle.TurnInterrupted})
		}
	}
}

// later is a moment so far from now, zero for none.
func later(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(ms) * time.Millisecond)
}

// waitsFor is why a launch is put off, if it is.
func waitsFor(ms int64) store.WaitReason {
	if ms == 0 {
		return ""
	}
	return store.WaitPause
}

// tapTo appends what passes to a file.
func tapTo(path string) func(Source, []byte) {
	if path == "" {
		return nil
	}
	return func(_ Source, b []byte) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err == nil {
			_, _ = f.Write(b)
			_ = f.Close()
		}
	}
}

// testJournal is a recorder on a ledger in dir.
func testJournal(dir string) *store.Recorder {
	return store.NewRecorder(store.RecorderConfig{
		Open: func(ctx context.Context) (*store.Ledger, error) {
			return store.Open(ctx, store.Config{Path: filepath.Join(dir, "ledger.db"), BusyTimeout: 2 * time.Second})
		},
		SpoolDir: filepath.Join(dir, "spool"),
	})
}

// early are the signals that came before the run; nil when it catches its own.
func early(sent bool) chan os.Signal {
	if !sent {
		return nil
	}
	c := Catch()
	_ = unix.Kill(os.Getpid(), unix.SIGTERM)
	return c
}
