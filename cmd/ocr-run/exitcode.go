package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// Exit codes of the verbs. The codes 3 to 8 are those of Open Code Review's
// own state commands, so that instructions written for it hold here.
const (
	exitOK         = 0
	exitError      = 1
	exitUsage      = 2
	exitAmbiguous  = 3
	exitNotFound   = 4
	exitTransition = 5
	exitInvariant  = 6
	exitSchema     = 7
	exitBusy       = 8
)

// exitInterrupted is the code of a verb that INT has cut short.
const exitInterrupted = exitSignal + 2

// exitNotLaunched is the code when a wrapped command was not even tried.
const exitNotLaunched = 125

// errUsage marks an error in how a verb was called.
var errUsage = errors.New("usage")

// errSchema marks input that is no valid document of its kind.
var errSchema = errors.New("schema invalid")

// verbError is an error in the form a user can act on.
type verbError struct {
	// thing is what it is about: a verb, a flag, a file, a uid.
	thing string
	// err is the reason.
	err error
	// try is the next step, a command or a short sentence; empty for none.
	try string
	// kind decides the exit code where err does not; nil for none.
	kind error
}

// Error names the thing and the reason.
func (e *verbError) Error() string { return e.thing + ": " + e.err.Error() }

// Unwrap gives the reason, and the kind when there is one.
func (e *verbError) Unwrap() []error {
	if e.kind == nil {
		return []error{e.err}
	}
	return []error{e.err, e.kind}
}

// usage is an error in how a verb was called.
func usage(verb, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &verbError{thing: verb, err: err, try: cmp.Or(nextStep(err), program+" "+verb+" --help"), kind: errUsage}
}

// nextStep is what an error says to do about it; empty when it says nothing.
func nextStep(err error) string {
	if v, ok := errors.AsType[*verbError](err); ok {
		return v.try
	}
	return ""
}

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	_, phase := errors.AsType[*lifecycle.PhaseError](err)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, store.ErrAmbiguous):
		return exitAmbiguous
	case errors.Is(err, store.ErrNotFound):
		return exitNotFound
	case phase, errors.Is(err, errTransition):
		return exitTransition
	case errors.Is(err, store.ErrInvariant), errors.Is(err, store.ErrConflict):
		return exitInvariant
	case errors.Is(err, errSchema):
		return exitSchema
	case errors.Is(err, store.ErrBusy):
		return exitBusy
	default:
		return exitError
	}
}

// report prints an error with its next step and returns its exit code.
func report(env environment, err error) int { return reportTo(env.stderr, err) }

// reportTo is report to somebody else than the user.
func reportTo(to io.Writer, err error) int {
	_, _ = fmt.Fprintf(to, "%s: %s\n", program, err)
	if try := nextStep(err); try != "" {
		_, _ = fmt.Fprintf(to, "Try: %s\n", try)
	}
	return exitCode(err)
}

// readerGone says whether a write failed because nobody reads any more, which
// is no error: the reader has what it wanted.
func readerGone(err error) bool { return errors.Is(err, syscall.EPIPE) }
