package ocrdb

import (
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// The product's words for an end that is no exit code. They exist in this
// package only.
const (
	// exitSignalled: the process died of a signal, or could not be spawned.
	exitSignalled = -1
	// exitCancelled: a user cancelled it.
	exitCancelled = -2
	// exitOrphaned: nobody was left to see the end.
	exitOrphaned = -3
	// exitCascaded: it was closed together with its workflow.
	exitCascaded = -4
	// exitDeadline: it ran into the hard deadline.
	exitDeadline = -5
)

// cascadeNote is what the product writes beside exitCascaded when a workflow is
// closed, also on the row of the very agent that closed it.
const cascadeNote = "closed by parent workflow close"

// ExitCode is the end of a process in the product's words. ok is false while
// the process has not ended. Who stopped it comes before how it died, unless it
// outlived the stop; what we stopped for another reason than these words know
// never reads as a clean exit.
func ExitCode(p lifecycle.Process) (code int, ok bool) {
	if !p.End.Over() {
		return 0, false
	}
	if p.End == lifecycle.EndLost {
		return exitOrphaned, true
	}
	if code, ok := stopCode(p); ok {
		return code, true
	}
	if p.ExitCode == nil || p.End == lifecycle.EndSignalled || *p.ExitCode == 0 && !ownZero(p) {
		return exitSignalled, true
	}
	return *p.ExitCode, true
}

// ownZero says whether an exit code of 0 is the process's own word.
func ownZero(p lifecycle.Process) bool {
	return p.End == lifecycle.EndExited && (p.StoppedBy == lifecycle.StoppedByNobody || p.StopFailed)
}

// stopCode is the word for who stopped a process that obeyed.
func stopCode(p lifecycle.Process) (code int, ok bool) {
	if p.StopFailed {
		return 0, false
	}
	switch p.StoppedBy {
	case lifecycle.StoppedByUser:
		return exitCancelled, true
	case lifecycle.StoppedByParent:
		return exitCascaded, true
	case lifecycle.StoppedByDeadline:
		return exitDeadline, true
	case lifecycle.StoppedByReaper:
		return exitOrphaned, true
	case lifecycle.StoppedByNobody, lifecycle.StoppedByTerminal, lifecycle.StoppedByIdle,
		lifecycle.StoppedByStalled, lifecycle.StoppedByRunaway, lifecycle.StoppedByFenced:
		return 0, false
	}
	return 0, false
}

// processOf is the end that a row of the product speaks of. over is false while
// neither an end nor a code is written.
func processOf(over bool, code *int) lifecycle.Process {
	switch {
	case !over:
		return lifecycle.Process{End: lifecycle.EndRunning}
	case code == nil:
		return lifecycle.Process{End: lifecycle.EndLost}
	case *code >= 0:
		return lifecycle.Process{End: lifecycle.EndExited, ExitCode: new(*code)}
	case *code == exitCancelled:
		return lifecycle.Process{End: lifecycle.EndSignalled, StoppedBy: lifecycle.StoppedByUser}
	case *code == exitCascaded:
		return lifecycle.Process{End: lifecycle.EndSignalled, StoppedBy: lifecycle.StoppedByParent}
	case *code == exitDeadline:
		return lifecycle.Process{End: lifecycle.EndSignalled, StoppedBy: lifecycle.StoppedByDeadline}
	case *code == exitOrphaned:
		return lifecycle.Process{End: lifecycle.EndLost}
	default:
		return lifecycle.Process{End: lifecycle.EndSignalled}
	}
}

// selfCascaded says whether a row bears the mark that a workflow's close leaves
// on every unfinished row of it.
func selfCascaded(code *int, notes string) bool {
	return code != nil && *code == exitCascaded && hasLine(notes, cascadeNote)
}

// endNote is the line about the true end, which the product's codes cannot
// tell, for the notes of a row.
func endNote(p lifecycle.Process, cause lifecycle.Cause) string {
	var b strings.Builder
	b.WriteString("ocr-run: " + string(p.End))
	switch {
	case p.ExitCode != nil:
		fmt.Fprintf(&b, " %d", *p.ExitCode)
	case p.Signal != nil:
		fmt.Fprintf(&b, " by signal %d", *p.Signal)
	}
	if p.StoppedBy != lifecycle.StoppedByNobody {
		b.WriteString(", stopped by " + string(p.StoppedBy))
	}
	if cause != "" {
		b.WriteString(", cause " + string(cause))
	}
	return b.String()
}

// hasLine says whether notes has this very line.
func hasLine(notes, line string) bool {
	return strings.Contains("\n"+notes+"\n", "\n"+line+"\n")
}
