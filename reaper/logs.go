package reaper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ocr-run/ocr-run/store"
)

// logSuffix ends the names of logs.
const logSuffix = ".log"

// LogPath is the file that the output of a run in the background goes to, unless its
// user has named another.
func LogPath(stateDir, uid string) string { return filepath.Join(stateDir, "logs", uid+logSuffix) }

// forgetLogs removes the logs of runs that are forgotten. One that was written to
// since then is of a run that is still to be committed.
func (w *sweeping) forgetLogs(ctx context.Context, beforeMS int64) error {
	files, err := os.ReadDir(filepath.Dir(LogPath(w.StateDir, "")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	failures := []error{err}
	for _, f := range files {
		uid, isLog := strings.CutSuffix(f.Name(), logSuffix)
		info, err := f.Info()
		if !isLog || err != nil || info.ModTime().UnixMilli() >= beforeMS {
			continue
		}
		if _, err := w.Ledger.Execution(ctx, uid); !errors.Is(err, store.ErrNotFound) {
			failures = append(failures, err)
			continue
		}
		if err := os.Remove(LogPath(w.StateDir, uid)); err != nil {
			failures = append(failures, fmt.Errorf("remove log: %w", err))
		}
	}
	return errors.Join(failures...)
}
