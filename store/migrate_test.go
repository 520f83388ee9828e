package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// A ledger of the first version goes on with the rules of this one, and what is
// open in it meanwhile keeps working.
func TestAFirstLedgerIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := os.ReadFile("migrations/0001_ledger.sql")
	must(t, err)
	must(t, os.WriteFile(path, nil, 0o600))
	old := storetest.Raw(t, path)
	for _, query := range []string{
		`PRAGMA journal_mode = WAL`, string(first), `PRAGMA user_version = 1`,
		`INSERT INTO workflows (id, kind, workspace, branch, session_dir, goal, owner, status, phase, round, revision, created_at, updated_at)
			VALUES ('w', 'review', '/repo', 'b', '', '', '', 'running', 'synthesis', 1, 1, 5, 5)`,
	} {
		_, err := old.ExecContext(t.Context(), query)
		must(t, err)
	}
	l := storetest.Open(t, path)
	announce(t, l, "around", 100)
	nested(t, l, "closer", "around", 200)
	takeUp(t, l, "w", "around")
	takeUp(t, l, "w", "closer")
	_, _, err = l.CompleteRound(t.Context(), store.CompleteRound{ID: "w", Round: 2, At: storetest.At(2300)})
	must(t, err)
	finishWorkflow(t, l, "w", "closer", 2400)
	if got := execution(t, l, "around").StopRequested; got != "" {
		t.Errorf("the run around is asked to stop by %s", got)
	}
	_, err = old.ExecContext(t.Context(), `INSERT INTO events (workflow_id, type, round, at) VALUES ('w', 'session_resumed', 2, 3000);
		UPDATE workflows SET status = 'running', phase = 'context', ended_at = NULL, revision = revision + 1 WHERE id = 'w'`)
	must(t, err)
}
