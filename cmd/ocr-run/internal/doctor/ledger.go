package doctor

import (
	"fmt"
	"strings"
)

// judgeLedger: it can be opened, and how large it is.
func judgeLedger(f Facts) []Finding {
	l := f.Ledger
	switch {
	case l.Path == "":
		return nil
	case !l.Exists:
		return []Finding{ok(CheckLedger, l.Path, "there is none yet; the first run makes it")}
	case l.Damaged:
		return []Finding{one(CheckLedger, Error, l.Path, "ocr-run ps   # names the command that moves it aside", "it is damaged: %s", l.Trouble)}
	case l.Busy:
		return []Finding{one(CheckLedger, Warn, l.Path, command("lsof", l.Path), "another process keeps it locked, and runs are degraded meanwhile")}
	case l.Unindexed:
		return []Finding{one(CheckLedger, Note, l.Path, "ocr-run ps   # makes it anew", "it was copied or cut off: %s", l.Trouble)}
	case l.Trouble != "":
		return []Finding{one(CheckLedger, Error, l.Path, command("ls", "-l", l.Path), "it cannot be read: %s", l.Trouble)}
	case l.Schema > l.Known:
		return []Finding{one(CheckLedger, Error, l.Path, "update ocr-run, or export XDG_STATE_HOME for another ledger",
			"a later ocr-run wrote it: its schema is version %d, and this one knows versions up to %d", l.Schema, l.Known)}
	default:
		return append([]Finding{ok(CheckLedger, l.Path, "%s", ledgerSize(l))}, judgeLog(l)...)
	}
}

// ledgerSize says how large a ledger is.
func ledgerSize(l Ledger) string {
	parts := []string{fmt.Sprintf("schema %d", l.Schema)}
	if l.Schema < l.Known {
		parts[0] += fmt.Sprintf(", brought to %d by the next run", l.Known)
	}
	for _, c := range []struct {
		n    int64
		what string
	}{{l.Executions, "runs"}, {l.Open, "of them open"}, {l.Events, "events"}, {l.Pages, "pages"}, {l.FreePages, "of them free"}} {
		if c.n >= 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(append(parts, size(l.Bytes)+" with a log of "+size(l.LogBytes)), ", ")
}

// largeLog is a write-ahead log that somebody keeps from being folded in: it is
// done at 256 pages of 4 KiB.
const largeLog = 64 << 20

// judgeLog judges the write-ahead log.
func judgeLog(l Ledger) []Finding {
	if l.LogBytes < largeLog {
		return nil
	}
	return []Finding{one(CheckLedger, Note, l.Path+"-wal", command("lsof", l.Path),
		"its log has grown to %s: some process reads the ledger all the time", size(l.LogBytes))}
}

// judgeIntegrity: its pages and rules are intact.
func judgeIntegrity(f Facts) []Finding {
	l := f.Ledger
	switch {
	case !l.Exists || l.Trouble != "" || l.Schema > l.Known:
		return nil
	case l.Broken != "":
		return []Finding{one(CheckIntegrity, Error, l.Path, command("mv", l.Path, l.Path+".damaged")+" && "+command("rm", "-f", l.Path+"-wal", l.Path+"-shm"),
			"%s; moved aside, it is kept, and a new one is begun", l.Broken)}
	case !l.Checked:
		return []Finding{ok(CheckIntegrity, l.Path, "not checked to the end within %s", l.CheckLimit)}
	default:
		return []Finding{ok(CheckIntegrity, l.Path, "all pages and rules are intact")}
	}
}

// judgeDegraded: runs could be written to the ledger as they happened.
func judgeDegraded(f Facts) []Finding {
	l := f.Ledger
	switch {
	case l.Degraded < 0 || !l.Exists || l.Trouble != "" || l.Schema > l.Known:
		return nil
	case l.Degraded > 0:
		return []Finding{one(CheckDegraded, Note, l.Path, "",
			"%d of the runs of the last %d days were recorded outside of it for a while", l.Degraded, DegradedDays)}
	default:
		return []Finding{ok(CheckDegraded, l.Path, "no run of the last %d days was recorded outside of it", DegradedDays)}
	}
}

// judgeSpool: nothing waits for the ledger.
func judgeSpool(f Facts) []Finding {
	l := f.Ledger
	var found []Finding
	if l.Spool == "" {
		return nil
	}
	if l.Rejected > 0 {
		found = append(found, one(CheckSpool, Error, l.Spool, command("ls", l.Spool)+"   # the reasons are in the files ending in .rejected",
			"facts of %d runs are there that no ledger will take", l.Rejected))
	}
	if l.Waiting > 0 {
		found = append(found, one(CheckSpool, Warn, l.Spool, "ocr-run reap --yes", "facts of %d runs wait for the ledger to take them in", l.Waiting))
	}
	if len(found) == 0 {
		found = append(found, ok(CheckSpool, l.Spool, "nothing waits for the ledger"))
	}
	return found
}
