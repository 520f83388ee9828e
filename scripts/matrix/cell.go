package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"
)

// cell is one behaviour that holds or does not.
type cell struct {
	name  string
	group string
	does  string // what must hold, in a line
	// bare says why the cell means nothing without a wrapper; empty means it does.
	bare string
	// needs are what must be there: "linux", "root", or a program.
	needs []string
	limit time.Duration // zero means defaultLimit
	run   func(*lab)
}

type verdict string

const (
	pass verdict = "pass"
	fail verdict = "FAIL"
	skip verdict = "skip"
)

type result struct {
	Verdict verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	Seconds float64 `json:"seconds"`
}

const (
	groupMatrix  = "matrix"  // the classic behaviours every wrapper is compared by
	groupNasty   = "nasty"   // the cases in which wrappers are known to break
	groupInit    = "init"    // what a container's init promises
	groupLedger  = "ledger"  // trouble with the wrapper's own state
	groupThrough = "through" // transparency: the command cannot tell
	groupScreen  = "screen"  // the same picture, cell for cell
)

func allCells() []cell {
	return slices.Concat(exitCells(), signalCells(), windowCells(), jobCells(), restoreCells(), stopCells(), leftoverCells(),
		streamCells(), stdinCells(), stallCells(), stillCells(), initCells(), ledgerCells(), diskCells(), stateCells(), ttyStateCells(),
		queryCells(), screenCells())
}

// runCell runs one cell against one wrapper and cleans up after it.
func runCell(c cell, w wrapper) result {
	if why := reasonToSkip(c, w); why != "" {
		return result{Verdict: skip, Detail: why}
	}
	l, err := newLab(c, w)
	if err != nil {
		return result{Verdict: fail, Detail: err.Error()}
	}
	limit := c.limit
	if limit == 0 {
		limit = defaultLimit
	}
	done := make(chan struct{})
	took := stopwatch()
	// In a goroutine of its own, so that fatalf can end it at any depth; a cell that is stuck is freed by the cleanup, which ends
	// whatever it waits for.
	go func() {
		defer close(done)
		c.run(l)
	}()
	if !closesWithin(done, limit) {
		l.record(fail, fmt.Sprintf("still not done after %v", limit))
	}
	seconds := took().Seconds()
	if err := l.clean(done); err != nil {
		l.record(fail, err.Error())
	}
	r := l.result()
	r.Seconds = seconds
	return r
}

func reasonToSkip(c cell, w wrapper) string {
	if w.missing != "" {
		return w.missing
	}
	if c.group == groupLedger && !w.ledger {
		return "it keeps no state"
	}
	if w.bare() && c.bare != "" {
		return "bare: " + c.bare
	}
	for _, need := range c.needs {
		switch need {
		case "linux":
			if runtime.GOOS != "linux" {
				return "needs Linux"
			}
		case "root":
			if os.Geteuid() != 0 {
				return "needs root"
			}
		default:
			if _, err := exec.LookPath(need); err != nil {
				return "needs " + need
			}
		}
	}
	return ""
}
