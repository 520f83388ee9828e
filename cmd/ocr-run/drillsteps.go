package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
)

// drillSteps is the drill, the everyday first.
func drillSteps() []drillStep {
	return []drillStep{
		{"exit codes", drillCodes},
		{"signals", drillSignals},
		{"unfinished work", drillIncomplete},
		{"new session", drillSession},
		{"double fork", drillDoubleFork},
		{"cleared environment", drillCleared},
		{"stopped wrapper", drillStall},
		{"killed wrapper", drillKilled},
		{"wrapper and monitor", drillBothKilled},
		{"locked ledger", drillLocked},
		{"damaged ledger", drillDamaged},
		{"full disk", drillFullDisk},
		{"pid used again", drillReuse},
	}
}

// drillCodes: a command's exit code is ours.
func drillCodes(ctx context.Context, b *bed) (string, error) {
	codes := []int{0, 1, 7, 255}
	for _, code := range codes {
		p, e, err := b.runReceipt(ctx, fmt.Sprintf("exit %d", code))
		if err != nil {
			return "", err
		}
		if p.code() != code || e.Process.ExitCode == nil || *e.Process.ExitCode != code {
			return "", fmt.Errorf("a command exited %d; ocr-run ended with %s and recorded %s", code, p.ProcessState, ended(e))
		}
	}
	return "commands exited 0, 1, 7 and 255, and ocr-run as they did", nil
}

// ended is how a run's process ended, for a message.
func ended(e render.Execution) string {
	words := []string{e.Process.End}
	if e.Process.ExitCode != nil {
		words = append(words, fmt.Sprint(*e.Process.ExitCode))
	}
	if e.Process.Signal != nil {
		words = append(words, fmt.Sprint("by signal ", *e.Process.Signal))
	}
	return strings.Join(append(words, "("+e.Outcome+")"), " ")
}

// drillSignals: what kills a command kills us.
func drillSignals(ctx context.Context, b *bed) (string, error) {
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL, unix.SIGUSR1} {
		name := strings.TrimPrefix(unix.SignalName(sig), "SIG")
		p, e, err := b.runReceipt(ctx, "kill -"+name+" $$")
		if err != nil {
			return "", err
		}
		if p.signal() != sig || e.Process.Signal == nil || *e.Process.Signal != int(sig) {
			return "", fmt.Errorf("SIG%s killed a command; ocr-run ended with %s and recorded %s", name, p.ProcessState, ended(e))
		}
	}
	return "TERM, KILL and USR1 killed commands, and ocr-run with them", nil
}

// drillIncomplete: an exit 0 in the middle of the work is no success.
func drillIncomplete(ctx context.Context, b *bed) (string, error) {
	p, e, err := b.runReceipt(ctx,
		`"$1" state begin --session-id drill --branch drill --workflow-type review >/dev/null 2>&1 || exit 9`, b.program)
	if err != nil {
		return "", err
	}
	if p.code() != exitIncomplete || e.Outcome != string(lifecycle.OutcomeIncomplete) {
		return "", fmt.Errorf("a command began a review and exited 0; ocr-run ended with %s and recorded %s", p.ProcessState, ended(e))
	}
	return "a command began a review and exited 0: 75, incomplete", nil
}

// escapee is a script that writes down its pid in $1 and lives on.
const escapee = `echo $$ >"$1"; exec sleep ` + lifetime

// stubborn is one that nothing but KILL ends.
const stubborn = `trap "" TERM HUP INT; echo $$ >"$1"; n=0; while test $n -lt ` + lifetime + `; do sleep 1; n=$((n+1)); done`

// untilWritten is the end of a script that waits until the file in its last word is
// there.
const untilWritten = `
while ! test -s "$FILE"; do sleep 0.1 || sleep 1; done; exit 0`

// drillSession: who leaves the session is found.
func drillSession(ctx context.Context, b *bed) (string, error) {
	session, err := b.newSession()
	if err != nil {
		return "", err
	}
	return b.escapes(ctx, session+` /bin/sh -c "$SCRIPT" sh "$FILE" </dev/null >/dev/null 2>&1 &`, escapee,
		"a process left for a session of its own")
}

// drillDoubleFork: who loses its parent and ignores TERM is found.
func drillDoubleFork(ctx context.Context, b *bed) (string, error) {
	return b.escapes(ctx, `(/bin/sh -c "$SCRIPT" sh "$FILE" </dev/null >/dev/null 2>&1 &)`, stubborn,
		"a process lost its parent and ignored TERM")
}

// drillCleared: who loses the environment as well is found.
func drillCleared(ctx context.Context, b *bed) (string, error) {
	session, err := b.newSession()
	if err != nil {
		return "", err
	}
	return b.escapes(ctx, `(env -i PATH="$PATH" `+session+` /bin/sh -c "$SCRIPT" sh "$FILE" </dev/null >/dev/null 2>&1 &)`, escapee,
		"a process lost its parent, its session and its environment")
}

// escapes runs a command that starts an escapee and ends, and looks whether the
// escapee was stopped and named.
func (b *bed) escapes(ctx context.Context, launch, script, what string) (string, error) {
	file := b.pid("escapee")
	p, e, err := b.runReceipt(ctx, `SCRIPT=$1 FILE=$2
`+launch+untilWritten, script, file)
	if err != nil {
		return "", err
	}
	pid := readPID(file)
	switch {
	case p.code() != exitOK:
		return "", fmt.Errorf("ocr-run ended with %s", p.ProcessState)
	case pid == 0:
		return "", errors.New("nothing has escaped")
	}
	for _, l := range e.Leftovers.Stopped {
		if l.PID == pid && l.Signal != nil {
			return fmt.Sprintf("%s: found, stopped with %s and named", what, *l.Signal), nil
		}
	}
	return "", fmt.Errorf("%s: process %d is not named among those that were stopped", what, pid)
}

// newSession are the words that start a command in a session of its own.
func (b *bed) newSession() (string, error) {
	for _, way := range []struct{ program, words string }{
		{"setsid", "setsid"},
		{"perl", "perl -MPOSIX -e 'POSIX::setsid(); exec @ARGV'"},
	} {
		if _, err := findCommand(way.program, b.environment.environ, b.environment.dir); err == nil {
			return way.words, nil
		}
	}
	return "", skipped("neither setsid nor perl is there to leave a session with")
}
