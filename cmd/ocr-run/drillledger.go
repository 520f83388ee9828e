package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
)

// degradedRecording is what a run says of itself that the ledger did not take.
const degradedRecording = "degraded"

// lockedWithin is how much longer than ever a run may take while the ledger is locked.
const lockedWithin = 5 * time.Second

// runDegraded runs a command that exits with a code while something is wrong with
// the ledger: it must not notice.
func (b *bed) runDegraded(ctx context.Context, code int) error {
	began := b.clock.Now().Awake
	p, e, err := b.runReceipt(ctx, fmt.Sprintf("exit %d", code))
	took := b.clock.Now().Awake - began
	switch {
	case err != nil:
		return err
	case p.code() != code:
		return fmt.Errorf("a command exited %d, and ocr-run ended with %s", code, p.ProcessState)
	case e.Recording != degradedRecording:
		return fmt.Errorf("the receipt says that the recording is %s", e.Recording)
	case took > lockedWithin:
		return fmt.Errorf("it took %s", took.Round(time.Millisecond))
	default:
		return nil
	}
}

// takenIn waits for a run with that exit code in the ledger: who looks takes it in,
// but waits no longer for it than a person would.
func (b *bed) takenIn(ctx context.Context, code int) (err error) {
	has := func(e render.Execution) bool { return e.Process.ExitCode != nil && *e.Process.ExitCode == code }
	waited := b.await(ctx, func() bool {
		var list []render.Execution
		list, err = b.history(ctx)
		return err != nil || slices.ContainsFunc(list, has)
	})
	if err == nil && waited != nil {
		err = fmt.Errorf("the ledger does not take the run in: %w", waited)
	}
	return err
}

// drillLocked: a ledger that somebody keeps locked holds nobody up.
func drillLocked(ctx context.Context, b *bed) (string, error) {
	const code = 4
	if _, _, err := b.runReceipt(ctx, "exit 0"); err != nil {
		return "", err
	}
	l, err := store.Open(ctx, store.Config{Path: b.ledger()})
	if err != nil {
		return "", err
	}
	letGo, err := l.Hold(ctx)
	if err == nil {
		err = errors.Join(b.runDegraded(ctx, code), letGo())
	}
	if err = errors.Join(err, l.Close()); err == nil {
		err = b.takenIn(ctx, code)
	}
	return "the command was not disturbed, and the ledger has taken the run in later", err
}

// drillDamaged: a file that is no ledger is left as it is.
func drillDamaged(ctx context.Context, b *bed) (string, error) {
	const code = 3
	garbage := bytes.Repeat([]byte("this is no ledger\n"), 512)
	if err := os.MkdirAll(filepath.Dir(b.ledger()), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(b.ledger(), garbage, 0o600); err != nil {
		return "", err
	}
	if err := b.runDegraded(ctx, code); err != nil {
		return "", err
	}
	now, err := os.ReadFile(b.ledger())
	if err == nil && !bytes.Equal(now, garbage) {
		err = errors.New("the damaged file was written to")
	}
	if err == nil {
		err = os.Rename(b.ledger(), b.path("damaged"))
	}
	if err == nil {
		err = b.takenIn(ctx, code)
	}
	return "the command was not disturbed, the file was left as it is, and a new ledger has the run", err
}

// Exit codes of the script below.
const (
	noMount   = 91
	noProgram = 92
	noTools   = 93
)

// fullDisk makes a disk of its own for the ledger in $1, which the command of a run of
// the program in $2 fills, writes how that ended into $3, makes room again, and prints
// what the ledger says once it knows: a sweep waits for the monitor, which may outlive
// the wrapper by a moment.
const fullDisk = `mount -t tmpfs -o size=2m,mode=0700 ocr-run-selftest "$1" 2>/dev/null || exit 91
"$2" --quiet -- /bin/sh -c : || exit 92
"$2" --quiet -- /bin/sh -c 'command -v dd >/dev/null || exit 93; dd if=/dev/zero of="$1/filler" bs=1024 2>/dev/null && exit 94; exit 7' sh "$1"
echo $? >"$3"
rm -f "$1/filler"
n=0
until "$2" reap --yes --json >/dev/null 2>&1; "$2" history --json | grep '"exit_code": 7' >/dev/null || test $n -ge 50; do sleep 0.1 || sleep 1; n=$((n+1)); done
exec "$2" history --json`

// drillFullDisk: the way a run ended survives a full disk.
func drillFullDisk(ctx context.Context, b *bed) (string, error) {
	const code = 7
	attr, err := ownMounts()
	if err != nil {
		return "", err
	}
	p, err := b.start(ctx, attr, "/bin/sh", "-c", fullDisk, "sh", b.path("state"), b.program, b.path("code"))
	if err != nil {
		return "", skipped("no disk of its own can be had: " + err.Error())
	}
	p.wait()
	switch got := readPID(b.path("code")); {
	case p.code() == noMount:
		return "", skipped("no disk of its own can be had: mount is refused")
	case p.code() == noProgram:
		return "", errors.New("nothing can be run on a disk of its own")
	case got == noTools:
		return "", skipped("the disk could not be filled: there is no dd")
	case got != code:
		return "", fmt.Errorf("a command exited 7, and ocr-run %d", got)
	}
	var list executions
	if err := readJSON(p.output, &list); err != nil {
		return "", err
	}
	for _, e := range list.Executions {
		if e.Process.ExitCode != nil && *e.Process.ExitCode == code {
			return "the command was not disturbed, and the ledger has its end", nil
		}
	}
	return "", errors.New("afterwards the ledger does not know how the run ended")
}
