package lifecycle

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lists holds, for every string type of the package, the words its list
// function gives, and those that are left out of it on purpose.
func lists() map[string][]string {
	return map[string][]string{
		"Cause":          words(Causes()),
		"Completeness":   words(append(Completenesses(), CompletenessNone)),
		"EventType":      words(EventTypes()),
		"EvidenceSource": words(EvidenceSources()),
		"Kind":           words(Kinds()),
		"Outcome":        words(Outcomes()),
		"Phase":          {string(PhaseComplete)},
		"ProcessEnd":     words(ProcessEnds()),
		"Repair":         words(Repairs()),
		"SessionStatus":  words(SessionStatuses()),

		"FlowCancelResult": words(FlowCancelResults()),
		"FlowCause":        words(FlowCauses()),
		"FlowMove":         words(FlowMoves()),
		"FlowRefusal":      words(FlowRefusals()),
		"FlowWhy":          words(FlowWhys()),
		"SessionEventType": words(SessionEventTypes()),
		"SessionRefusal":   words(SessionRefusals()),

		"StoppedBy":      words(append(Stoppers(), StoppedByNobody)),
		"TurnState":      words(append(TurnStates(), TurnNone)),
		"WorkflowStatus": words(WorkflowStatuses()),
	}
}

func words[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

// TestListsAreComplete reads the source: every constant stands in its list
// exactly once, and no vocabulary lacks one.
func TestListsAreComplete(t *testing.T) {
	t.Parallel()
	declared := declaredWords(t)
	got := lists()
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		want := slices.Sorted(slices.Values(declared[name]))
		have := slices.Sorted(slices.Values(got[name]))
		if !slices.Equal(want, have) {
			t.Errorf("%s: declared %q, listed %q", name, want, have)
		}
	}
	for name := range got {
		if len(declared[name]) == 0 {
			t.Errorf("%s declares no constant", name)
		}
	}
}

// declaredWords finds the typed string constants of the package by type.
func declaredWords(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source here: %v", err)
	}
	found := map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				addWords(t, found, v)
			}
			return true
		})
	}
	return found
}

func addWords(t *testing.T, found map[string][]string, v *ast.ValueSpec) {
	t.Helper()
	typ, ok := v.Type.(*ast.Ident)
	if !ok {
		return
	}
	for _, value := range v.Values {
		lit, ok := value.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		word, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		found[typ.Name] = append(found[typ.Name], word)
	}
}

// TestListsAreFresh: a caller may change the list it was given.
func TestListsAreFresh(t *testing.T) {
	t.Parallel()
	Causes()[0], EventTypes()[0], Phases(KindReview)[0] = "x", "x", "x"
	if Causes()[0] == "x" || EventTypes()[0] == "x" || FirstPhase(KindReview) == "x" {
		t.Error("a list is shared between its callers")
	}
}

func TestEventsOfWorkflows(t *testing.T) {
	t.Parallel()
	if CompletionEvent(KindReview) != EventRoundCompleted || CompletionEvent(KindMap) != EventMapCompleted || CompletionEvent(KindFlow) != "" {
		t.Error("a kind has the wrong completion event")
	}
	for _, e := range CloseReasons() {
		if !slices.Contains(EventTypes(), e) || e == EventRoundCompleted || e == EventMapCompleted {
			t.Errorf("%s cannot be a reason to close", e)
		}
	}
}

// TestWordsAreDocumented holds docs/words.md against the code, both ways for
// the two vocabularies that users meet.
func TestWordsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "words.md"))
	if err != nil {
		t.Fatal(err)
	}
	for heading, want := range map[string][]string{
		"Outcomes": words(Outcomes()), "Causes": words(Causes()), "Events": words(EventTypes()),
		"Completeness": words(Completenesses()), "Process ends": words(ProcessEnds()), "Turns": words(append(TurnStates(), TurnNone)),
	} {
		got := tableWords(string(page), heading)
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("docs/words.md, %s: has %q, want %q", heading, got, want)
		}
	}
}

// tableWords lists the words in the first column of the table under a heading.
func tableWords(page, heading string) []string {
	_, section, _ := strings.Cut(page, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var found []string
	for line := range strings.SplitSeq(section, "\n") {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			word, _, _ := strings.Cut(rest, "`")
			found = append(found, word)
		}
	}
	return found
}
