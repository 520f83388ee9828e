package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// stagedDocument is a completion document that is on disk under a name nobody
// looks for. Its zero value stands for a session without a directory.
type stagedDocument struct {
	// path is the name it will get, temporary the one it has.
	path, temporary string
}

// stage writes the document beside the place where it belongs.
func (p completing) stage() (stagedDocument, error) {
	folder := p.folder()
	if folder == "" {
		return stagedDocument{}, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a working tree, readable like the rest of it
		return stagedDocument{}, fmt.Errorf("keep document: %w", err)
	}
	d := stagedDocument{path: filepath.Join(folder, p.how.file)}
	f, err := os.CreateTemp(folder, "."+p.how.file+".*")
	if err != nil {
		return d, fmt.Errorf("keep document: %w", err)
	}
	d.temporary = f.Name()
	_, werr := f.Write(p.document)
	if err := errors.Join(werr, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return d, fmt.Errorf("keep document %s: %w", d.path, errors.Join(err, d.discard()))
	}
	return d, nil
}

// publish gives the document its name. Of a round that was complete before,
// the document that is there stays; only a missing one is made again.
func (d stagedDocument) publish(already bool) error {
	if d.path == "" {
		return nil
	}
	if already {
		if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
			return d.discard()
		}
	}
	if err := os.Rename(d.temporary, d.path); err != nil {
		return fmt.Errorf("keep document: %w", errors.Join(err, d.discard()))
	}
	return nil
}

// discard removes the document.
func (d stagedDocument) discard() error {
	if d.temporary == "" {
		return nil
	}
	return os.Remove(d.temporary)
}

// verdicts are what a review may conclude.
func verdicts() []string { return []string{"APPROVE", "REQUEST CHANGES", "NEEDS DISCUSSION"} }

// finding is the part of a finding that is counted.
type finding struct {
	Category string `json:"category"`
}

// roundDocument is the part of a review's document that is read. Everything
// else is kept as it is.
type roundDocument struct {
	Verdict   string `json:"verdict"`
	Reviewers []struct {
		Findings []finding `json:"findings"`
	} `json:"reviewers"`
	// SynthesisCounts are counts without duplicates; each that is there is
	// believed more than a tally of the reviewers' findings.
	SynthesisCounts struct {
		Blockers    *int `json:"blockers"`
		ShouldFix   *int `json:"should_fix"`
		Suggestions *int `json:"suggestions"`
	} `json:"synthesis_counts"`
}

// roundTally is what the ledger keeps of a review's document.
type roundTally struct {
	Verdict           string `json:"verdict"`
	BlockerCount      int    `json:"blocker_count"`
	ShouldFixCount    int    `json:"should_fix_count"`
	SuggestionCount   int    `json:"suggestion_count"`
	ReviewerCount     int    `json:"reviewer_count"`
	TotalFindingCount int    `json:"total_finding_count"`
	Source            string `json:"source"`
}

// roundSummary checks the document of a review round and tallies it.
func roundSummary(document []byte) ([]byte, error) {
	var d roundDocument
	if err := decodeObject(document, &d); err != nil {
		return nil, err
	}
	if !slices.Contains(verdicts(), d.Verdict) {
		return nil, fmt.Errorf("verdict %q is none of %q", d.Verdict, verdicts())
	}
	t := roundTally{Verdict: d.Verdict, ReviewerCount: len(d.Reviewers), Source: "orchestrator"}
	counts := map[string]int{}
	for _, r := range d.Reviewers {
		t.TotalFindingCount += len(r.Findings)
		for _, f := range r.Findings {
			counts[f.Category]++
		}
	}
	t.BlockerCount = given(d.SynthesisCounts.Blockers, counts["blocker"])
	t.ShouldFixCount = given(d.SynthesisCounts.ShouldFix, counts["should_fix"])
	t.SuggestionCount = given(d.SynthesisCounts.Suggestions, counts["suggestion"])
	if min(t.BlockerCount, t.ShouldFixCount, t.SuggestionCount) < 0 {
		return nil, errors.New("synthesis_counts holds a negative count")
	}
	return json.Marshal(t)
}

// given is a count that may be absent, with what to take then.
func given(count *int, fallback int) int {
	if count == nil {
		return fallback
	}
	return *count
}

// mapSummary checks the document of a map run.
func mapSummary(document []byte) ([]byte, error) {
	var d struct{}
	if err := decodeObject(document, &d); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"source": "orchestrator"})
}

// decodeObject reads a JSON object; null, which decodes into anything, is
// none.
func decodeObject(document []byte, into any) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(document, &object); err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	if object == nil {
		return errors.New("not a JSON object: null")
	}
	if err := json.Unmarshal(document, into); err != nil {
		return fmt.Errorf("unexpected shape: %w", err)
	}
	return nil
}
