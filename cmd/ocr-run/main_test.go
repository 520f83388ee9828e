package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain makes the test binary stand in for ocr-run and for the helpers of
// the scripts. As ocr-run it may be started as its own monitor, which does not get
// here.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		"ocr-run": main,
		"seed":    seedMain,
		"code":    codeMain,
		"exits":   exitsMain,
		"until":   untilMain,
		"stamp":   stampMain,
		"holder":  holderMain,
		"host":    hostMain,
		"drill":   drillMain,
		"updated": updatedMain,
	})
}

// exitsMain runs a command and passes everything through; it succeeds when the
// command exits with the code given first.
func exitsMain() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); strconv.Itoa(got) != os.Args[1] {
		fmt.Fprintf(os.Stderr, "exits: %q exited %d, want %s\n", os.Args[2:], got, os.Args[1])
		os.Exit(1)
	}
}

// stampMain prints the time as agents write it in their records.
func stampMain() { fmt.Println(time.Now().UTC().Format("2006-01-02T15:04:05.000Z")) }

// holderMain runs a command, for half a minute at most, while this process holds
// what first names of the ledger: "write", the lock every writer needs, or "all".
func holderMain() {
	if err := hold(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "holder:", err)
		os.Exit(1)
	}
}

// hold does what holderMain says. SQLite's locks are locks on ranges of its files; who
// has one gives it back in a moment, and is waited for.
func hold(what string, command []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l, err := call{environment: processEnvironment(), verb: "holder"}.openLedger(ctx)
	if err != nil {
		return err
	}
	path, lock := l.Path(), unix.Flock_t{Type: unix.F_WRLCK}
	if what == "write" {
		path, lock.Start, lock.Len = path+"-shm", 120, 1
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &lock); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	runtime.KeepAlive(f)
	return err
}

// leakChecked runs the tests and then checks that no goroutine is left.
type leakChecked struct{ *testing.M }

// Run fails when the tests fail or leave a goroutine.
func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the scripts of testdata/script: each is one behaviour of
// the verbs as a user sees it. In each the ledger lies in $WORK/state, and $WORK
// is a workspace.
func TestScripts(t *testing.T) {
	t.Parallel()
	fixtures, err := filepath.Abs(filepath.Join("..", "..", "store", "ocrdb", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("TERM", "dumb")
			env.Setenv(fixturesEnv, fixtures)
			// A race-enabled program waits a second before it exits, for reports
			// of goroutines that run on; ours have ended, and scripts start many.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			stopLeftBehind(env)
			return os.Mkdir(filepath.Join(env.WorkDir, ".git"), 0o755)
		},
	})
}
