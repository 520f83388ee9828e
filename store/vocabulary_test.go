package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

func words[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	slices.Sort(out)
	return out
}

// checkList is the list of words a column's CHECK allows.
func checkList(t *testing.T, schema, start string) []string {
	t.Helper()
	_, rest, found := strings.Cut(schema, start+" IN (")
	if !found {
		t.Fatalf("no list at %q", start)
	}
	list, _, _ := strings.Cut(rest, ")")
	got := strings.Split(strings.ReplaceAll(list, "'", ""), ", ")
	slices.Sort(got)
	return got
}

func TestTheLedgerAndTheRulesSpeakTheSameWords(t *testing.T) {
	t.Parallel()
	db := raw(t, populated(t), "")
	table := func(name string) (schema string) {
		must(t, db.QueryRowContext(t.Context(), `SELECT sql FROM sqlite_schema WHERE name = ?`, name).Scan(&schema))
		return schema
	}
	phases := func(kind lifecycle.Kind) string {
		return "WHEN '" + string(kind) + "' THEN phase IS NOT NULL AND phase"
	}
	for _, list := range []struct {
		table, start string
		want         []string
	}{
		{"executions", `"end"`, words(lifecycle.ProcessEnds())},
		{"executions", "stopped_by", words(lifecycle.Stoppers())},
		{"executions", "stop_requested", words(lifecycle.Stoppers())},
		{"executions", "waits_for", words(store.WaitReasons())},
		{"executions", "session_status", words(lifecycle.SessionStatuses())},
		{"turns", "state", words(lifecycle.TurnStates())},
		{"workflows", "kind", words(lifecycle.Kinds())},
		{"workflows", "status", words(lifecycle.WorkflowStatuses())},
		{"workflows", phases(lifecycle.KindReview), words(lifecycle.Phases(lifecycle.KindReview))},
		{"workflows", phases(lifecycle.KindMap), words(lifecycle.Phases(lifecycle.KindMap))},
		{"workflows_close", "AND type", words(lifecycle.CloseReasons())},
	} {
		if got := checkList(t, table(list.table), list.start); !slices.Equal(got, list.want) {
			t.Errorf("%s.%s allows %v, the rules know %v", list.table, list.start, got, list.want)
		}
	}
	var types string
	must(t, db.QueryRowContext(t.Context(), `SELECT group_concat(type, ' ') FROM (SELECT type FROM event_types ORDER BY type)`).Scan(&types))
	if want := words(lifecycle.EventTypes()); !slices.Equal(strings.Fields(types), want) {
		t.Errorf("events are %v, the rules know %v", types, want)
	}
}

func TestThePhaseGraphIsThatOfTheRules(t *testing.T) {
	t.Parallel()
	db := raw(t, populated(t), "")
	for _, kind := range lifecycle.Kinds() {
		for _, from := range lifecycle.Phases(kind) {
			for _, other := range lifecycle.Kinds() {
				for _, to := range lifecycle.Phases(other) {
					var edge bool
					must(t, db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM phase_edges
						WHERE kind = ? AND from_phase = ? AND to_phase = ?)`, string(kind), string(from), string(to)).Scan(&edge))
					if want := lifecycle.CheckAdvance(kind, from, to, false) == nil; edge != want {
						t.Errorf("%s: %s → %s is %v in the ledger, %v in the rules", kind, from, to, edge, want)
					}
				}
			}
		}
	}
	var edges int
	must(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM phase_edges`).Scan(&edges))
	if want := 2 * (len(lifecycle.Phases(lifecycle.KindReview)) + len(lifecycle.Phases(lifecycle.KindMap))); edges != want {
		t.Errorf("%d edges, want %d", edges, want)
	}
}
