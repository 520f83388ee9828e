package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
)

// lastResort keeps what is known of a run that could be written neither to the ledger
// nor to the spool, or whose row is another's, and says where: in the receipt that was asked for, on a terminal
// in a file for temporary ones, elsewhere in a line of JSON on stderr. Whoever wants to
// hear nothing hears of it where there is no receipt: nobody else will ever know.
func (w *wrapping) lastResort(view render.Execution, to receiptTo) {
	trouble := w.journal.Trouble()
	if trouble == nil || w.opts.quiet && (w.keptIn != "" || w.opts.json) {
		return
	}
	line, err := render.JSONLine(view)
	if err != nil {
		w.log.Error().Err(err).Msg("encode receipt")
		return
	}
	where := w.keptIn
	terminal := term.IsTerminal(int(w.env.stderr.Fd()))
	if where == "" && terminal && !w.opts.json {
		where = keepAside(view.UID, line)
	}
	if terminal && to.stalled {
		return
	}
	place := w.stateDir
	if place == "" {
		place, trouble = "the state directory", errNoHome
	} else if reason, ok := errors.AsType[syscall.Errno](trouble); ok {
		trouble = reason
	}
	why, try := fmt.Sprintf("neither the ledger nor the spool in %s can be written (%s)", place, trouble), "doctor"
	if errors.Is(trouble, store.ErrNotOurs) {
		why, try = fmt.Sprintf("in the ledger the uid %s is another run's", view.UID), "show "+view.UID
	}
	said := fmt.Sprintf("%s: %s; this run is recorded ", program, why)
	switch {
	case where != "":
		said += "in " + where + " alone\n"
	case w.opts.json:
		said += "in the receipt above alone\n"
	default:
		said += "here alone:\n" + string(line)
	}
	_, _ = fmt.Fprintf(w.env.stderr, "%sTry: %s %s\n", said, program, try)
}

// keepAside writes what is known of a run to a file for temporary ones, and names it;
// empty when that cannot be done.
func keepAside(uid string, line []byte) string {
	path := filepath.Join(os.TempDir(), program+"-"+uid+".json")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return ""
	}
	_, err = f.Write(line)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
		return ""
	}
	return path
}
