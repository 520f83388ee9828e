package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// syncVerb takes in sessions that only files tell of.
func syncVerb() verb {
	return verb{
		name:  "state sync",
		brief: "take in sessions that only their directories tell of",
		about: `Takes in the directories under .ocr/sessions of the workspace that no session is
known by, and that hold at least one .md or .json file. They are taken in closed,
with the phase and the round their files say they reached.`,
		flags:      []flagSpec{jsonSpec()},
		exits:      stateExits(),
		examples:   []string{"ocr-run state sync", "ocr-run state sync --json"},
		run:        runSync,
		handedOver: true,
	}
}

// synced is what "state sync --json" prints.
type synced struct {
	SchemaVersion int      `json:"schema_version"`
	Synced        int      `json:"synced"`
	Sessions      []string `json:"sessions"`
}

// runSync takes the directories in.
func runSync(ctx context.Context, c call) error {
	found, err := c.sessionDirectories()
	if err != nil {
		return &verbError{thing: c.verb, err: err, try: "ls -ld " + c.sessionRoot()}
	}
	done := synced{SchemaVersion: render.SchemaVersion, Sessions: []string{}}
	if len(found) > 0 {
		err = c.inLedger(ctx, true, func(l *store.Ledger) error {
			done.Sessions, err = c.takeIn(ctx, l, found)
			return err
		})
	}
	if err != nil {
		return err
	}
	done.Synced = len(done.Sessions)
	plural := "s"
	if done.Synced == 1 {
		plural = ""
	}
	return c.answer(done, fmt.Sprintf("Synced %d session%s from filesystem.\n", done.Synced, plural))
}

// takeIn writes down those that have no row, and gives their names. Each is taken
// in by itself: it stays so when a later one fails.
func (c call) takeIn(ctx context.Context, l *store.Ledger, found []store.Import) ([]string, error) {
	taken := []string{}
	for _, i := range found {
		w, imported, err := l.ImportWorkflow(ctx, i)
		if err != nil {
			return taken, c.failed(err)
		}
		if imported {
			taken = append(taken, w.ID)
		}
	}
	return taken, nil
}

// sessionDirectories are the directories below the session root that hold
// something to read. A missing root holds none.
func (c call) sessionDirectories() ([]store.Import, error) {
	entries, err := os.ReadDir(c.sessionRoot())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for sessions: %w", err)
	}
	var found []store.Import
	for _, e := range entries {
		dir := filepath.Join(c.sessionRoot(), e.Name())
		// A link to a directory is one.
		if info, err := os.Stat(dir); err != nil || !info.IsDir() || !hasArtifact(dir) {
			continue
		}
		if err := errors.Join(plainWord(e.Name()), sessionName(e.Name(), false)); err != nil {
			c.note("left out %q: %s", e.Name(), err)
			continue
		}
		found = append(found, c.importOf(e.Name(), dir))
	}
	return found, nil
}

// importOf is what the files of a session's directory say about it.
func (c call) importOf(name, dir string) store.Import {
	i := store.Import{
		ID: name, ScopedID: scopedID(name, c.workspace()), Kind: lifecycle.KindReview, Branch: branchOf(name),
		Workspace: c.workspace(), SessionDir: dir, Round: 1, At: c.now(),
	}
	if isDirectory(filepath.Join(dir, "map")) && !isDirectory(filepath.Join(dir, "rounds")) {
		i.Kind = lifecycle.KindMap
	}
	i.Phase = lifecycle.FirstPhase(i.Kind)
	if n := lastRound(filepath.Dir(roundFolder(dir, i.Kind, 1)), filepath.Base(roundFolder("", i.Kind, 0))); n > 0 {
		i.Round = n
		if hasReport(dir, i.Kind, n) {
			i.Phase = lifecycle.PhaseComplete
		}
	}
	return i
}

// branchOf is the branch in the name of a session, as in 2026-01-31-branch.
func branchOf(name string) string {
	if m := regexp.MustCompile(`^\d{4}-\d{2}-\d{2}-(.+)$`).FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return name
}

// hasArtifact says whether a directory holds a file that a session would leave,
// at any depth. What cannot be read holds none.
func hasArtifact(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".md" || ext == ".json") {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// lastRound is the highest number behind zero, which is the name of a round's
// folder with a 0 for its number; 0 when there is none.
func lastRound(parent, zero string) int {
	entries, _ := os.ReadDir(parent)
	last := 0
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), strings.TrimSuffix(zero, "0"))
		if n, err := strconv.Atoi(digits); ok && err == nil && strconv.Itoa(n) == digits && n > last {
			last = n
		}
	}
	return last
}

// isDirectory says whether there is a directory of that name.
func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
