package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// Documents that complete a review's round.
const (
	approved = `{"schema_version":1,"verdict":"APPROVE","reviewers":[]}`
	rejected = `{"schema_version":1,"verdict":"REQUEST CHANGES","reviewers":[{"type":"a","instance":1,"findings":[
		{"title":"t","category":"blocker","severity":"high","summary":"s"}]}]}`
)

// bench is a workspace with a ledger of its own, for processes to work in.
type bench struct{ dir, ledger string }

func newBench(t *testing.T) bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	return bench{dir, filepath.Join(dir, "state", "ocr-run", "ledger.db")}
}

// state is a state verb as a process of its own, with a document on its stdin.
func (b bench) state(ctx context.Context, document string, words ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ocr-run", append([]string{"state"}, words...)...)
	cmd.Dir, cmd.Stdin = b.dir, strings.NewReader(document)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "OCR_") }),
		"XDG_STATE_HOME="+filepath.Join(b.dir, "state"), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// must runs a state verb that must succeed.
func (b bench) must(t *testing.T, document string, words ...string) {
	t.Helper()
	if out, err := b.state(t.Context(), document, words...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", words, err, out)
	}
}

// anyVerb is one of the verbs an agent might call of a workflow that stands
// there, mostly the one that moves it on, and the document for its stdin.
func anyVerb(w store.Workflow) (document string, words []string) {
	named := func(words ...string) []string { return append(words, "--session-id", "w") }
	begin := named("begin", "--branch", "b", "--workflow-type", "review")
	document = []string{approved, rejected}[rand.IntN(2)]
	phases := lifecycle.Phases(lifecycle.KindReview)
	switch rand.IntN(25) {
	case 0:
		return "", begin
	case 1:
		return document, named("complete-round", "--stdin", "--round", fmt.Sprint(w.Round+rand.IntN(2)))
	case 2:
		return "", named("finish", "--abort")
	case 3:
		return "", named("advance", "--phase", "context", "--current-round", fmt.Sprint(w.Round+rand.IntN(2)))
	case 4, 5:
		return "", named("advance", "--phase", string(phases[rand.IntN(len(phases))]))
	case 6:
		return "", []string{[]string{"sync", "reconcile", "list"}[rand.IntN(3)]}
	case 7:
		return "", named([]string{"status", "show"}[rand.IntN(2)])
	}
	switch {
	case w.Status.Closed():
		return "", begin
	case w.HasArtifact:
		return "", named("finish")
	case w.Phase == phaseSynthesis:
		return document, named("complete-round", "--stdin")
	default:
		return "", named("advance", "--phase", string(phases[lifecycle.PhaseNumber(w.Kind, w.Phase)]))
	}
}

// 50 processes call the verbs at once on one workflow, as agents that know
// nothing of each other do. Each is answered by a rule, and what they leave
// behind is a history that one patient agent could have written.
func TestACrowdLeavesALegalHistory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(t, "", "begin", "--session-id", "w", "--branch", "b", "--workflow-type", "review")
	l := storetest.Open(t, b.ledger)
	const crowd = 50
	each, allowed := 5, []int{exitOK, exitTransition, exitInvariant}
	if raceDetector {
		// Slowed down so much, fifty may well keep the ledger busy for too long.
		each, allowed = 1, append(allowed, exitBusy)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for range crowd {
		wg.Go(func() {
			for range each {
				w, err := l.Workflow(t.Context(), "w")
				document, words := anyVerb(w)
				cmd := b.state(t.Context(), document, words...)
				out, runErr := cmd.CombinedOutput()
				code := cmd.ProcessState.ExitCode()
				if err != nil || !slices.Contains(allowed, code) {
					t.Errorf("%q exits %d, %v: %s", words, code, errors.Join(err, runErr), out)
				}
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h := storetest.Replay(t, storetest.Raw(t, b.ledger), "w")
	b.checkDocuments(t, h)
	t.Logf("codes %v, history %+v", codes, h)
}

// checkDocuments holds the documents of a workflow against its history: each
// complete round has the one that was recorded, and no other round has any.
func (b bench) checkDocuments(t *testing.T, h storetest.History) {
	t.Helper()
	kept, err := filepath.Glob(filepath.Join(b.dir, ".ocr/sessions/w/rounds/round-*/*"))
	if err != nil {
		t.Fatal(err)
	}
	l := storetest.Open(t, b.ledger)
	for _, file := range kept {
		var round int
		if _, err := fmt.Sscanf(filepath.Base(filepath.Dir(file)), "round-%d", &round); err != nil {
			t.Fatal(err)
		}
		document, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		summary, err := roundSummary(document)
		recorded, complete, lerr := l.Completion(t.Context(), "w", round)
		if err := errors.Join(err, lerr); err != nil || !complete || string(recorded) != string(summary) {
			t.Errorf("%s says %s, recorded is %s, %v", file, summary, recorded, err)
		}
	}
	if len(kept) != len(h.Completed) {
		t.Errorf("%d documents of %d complete rounds: %q", len(kept), len(h.Completed), kept)
	}
}

// Of many processes that do the same at once, one does it.
func TestACrowdDoesEachThingOnce(t *testing.T) {
	t.Parallel()
	b, crowd := newBench(t), 25
	if raceDetector {
		crowd = 8
	}
	once := func(document string, others int, words ...string) {
		t.Helper()
		var wg sync.WaitGroup
		var mu sync.Mutex
		codes := map[int]int{}
		for range crowd {
			wg.Go(func() {
				cmd := b.state(t.Context(), document, words...)
				out, _ := cmd.CombinedOutput()
				mu.Lock()
				defer mu.Unlock()
				if codes[cmd.ProcessState.ExitCode()]++; cmd.ProcessState.ExitCode() == exitError {
					t.Errorf("%q: %s", words, out)
				}
			})
		}
		wg.Wait()
		want := map[int]int{exitOK: crowd}
		if others != exitOK {
			want = map[int]int{exitOK: 1, others: crowd - 1}
		}
		if fmt.Sprint(codes) != fmt.Sprint(want) {
			t.Errorf("%q: codes %v, want %v", words, codes, want)
		}
	}
	once("", exitInvariant, "begin", "--session-id", "w", "--branch", "b", "--workflow-type", "review")
	for _, p := range lifecycle.Phases(lifecycle.KindReview)[1:7] {
		b.must(t, "", "advance", "--phase", string(p))
	}
	once(approved, exitOK, "complete-round", "--stdin")
	once("", exitOK, "finish", "--session-id", "w")
	h := storetest.Replay(t, storetest.Raw(t, b.ledger), "w")
	if h.Closings != 1 || len(h.Completed) != 1 || h.Open {
		t.Errorf("the history is %+v", h)
	}
	b.checkDocuments(t, h)
}

// A process killed at any moment leaves no half step: what it did is done as a
// whole or not at all, and a document that lacks is made by doing it again. Not
// beside other tests: the moment is chosen by how long a verb takes.
func TestKilledVerbsLeaveNoHalfStep(t *testing.T) { //nolint:paralleltest // see above
	b := newBench(t)
	b.must(t, "", "begin", "--session-id", "w", "--branch", "b", "--workflow-type", "review")
	db, span := storetest.Raw(t, b.ledger), time.Second
	killed, done := 0, 0
	deadline := time.Now().Add(4 * time.Second)
	for round := 1; time.Now().Before(deadline) && round <= 40; round++ {
		b.toSynthesis(t)
		err := b.kill(t, span, rejected, "complete-round", "--stdin", "--session-id", "w")
		h := storetest.Replay(t, db, "w")
		file := filepath.Join(b.dir, ".ocr/sessions/w/rounds", fmt.Sprintf("round-%d/round-meta.json", round))
		_, lacks := os.Stat(file)
		switch {
		case err == nil && (lacks != nil || !h.Completed[round]):
			t.Fatalf("round %d: acknowledged and not done: %v, %+v", round, lacks, h)
		case lacks == nil && !h.Completed[round]:
			t.Fatalf("round %d has a document and is not complete", round)
		case err != nil:
			killed++
		}
		if err != nil && h.Completed[round] {
			done++
		}
		start := time.Now()
		b.must(t, rejected, "complete-round", "--stdin", "--session-id", "w", "--round", fmt.Sprint(round))
		span = time.Since(start)
		if got, err := os.ReadFile(file); err != nil || string(got) != rejected {
			t.Fatalf("round %d: %v: %s", round, err, got)
		}
		_ = b.kill(t, span, "", "finish", "--session-id", "w")
		storetest.Replay(t, db, "w")
		b.must(t, "", "begin", "--session-id", "w", "--branch", "b", "--workflow-type", "review")
	}
	t.Logf("%d killed, %d of them after the ledger had it; a verb takes %v", killed, done, span)
}

// kill runs a state verb and kills it after a random part of the time it takes.
func (b bench) kill(t *testing.T, span time.Duration, document string, words ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), rand.N(span))
	defer cancel()
	return b.state(ctx, document, words...).Run()
}

// toSynthesis walks the workflow to the phase its round is completed in.
func (b bench) toSynthesis(t *testing.T) {
	t.Helper()
	l, err := store.Open(t.Context(), store.Config{Path: b.ledger})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range lifecycle.Phases(lifecycle.KindReview)[:7] {
		if _, err := l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: p, At: storetest.At(time.Now().UnixMilli())}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
