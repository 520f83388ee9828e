package main

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// sessionRoot is where the sessions of a workspace keep their files, each in a
// directory of its name, unless they are given another. It is the place Open
// Code Review's instructions speak of.
func (c call) sessionRoot() string { return filepath.Join(c.workspace(), ".ocr", "sessions") }

// makeDirectory makes the directory of a session, for its agent to write to. A
// session without one is still a session.
func (c call) makeDirectory(w store.Workflow) {
	if w.SessionDir == "" {
		return
	}
	if err := os.MkdirAll(w.SessionDir, 0o755); err != nil { //nolint:gosec // a working tree, readable like the rest of it
		c.note("make the directory of session %s: %s", w.ID, err)
	}
}

// roundFolder is the directory of a round below a session's.
func roundFolder(sessionDir string, k lifecycle.Kind, round int) string {
	if k == lifecycle.KindMap {
		return filepath.Join(sessionDir, "map", "runs", "run-"+strconv.Itoa(round))
	}
	return filepath.Join(sessionDir, "rounds", "round-"+strconv.Itoa(round))
}

// reportFile is the name of a round's report, which proves that it was written.
func reportFile(k lifecycle.Kind) string {
	if k == lifecycle.KindMap {
		return "map.md"
	}
	return "final.md"
}

// hasReport says whether a round's report exists.
func hasReport(sessionDir string, k lifecycle.Kind, round int) bool {
	if sessionDir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(roundFolder(sessionDir, k, round), reportFile(k)))
	return err == nil
}
