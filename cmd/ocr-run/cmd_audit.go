package main

import (
	"context"
	"errors"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper"
)

// Exit codes of an audit, by the worst that was found.
const (
	exitWarnings = 10
	exitErrors   = 20
)

// auditVerb lists what is wrong.
func auditVerb() verb {
	return verb{
		name:  "audit",
		brief: "list what is wrong, and change nothing",
		about: `Lists what is wrong with the ledger and with the processes it knows of, the
worst first, and changes nothing. What a sweep mends says so: see ocr-run reap.`,
		flags: []flagSpec{jsonSpec()},
		exits: []exitLine{
			{exitOK, "nothing is wrong"},
			{exitError, "the ledger or the process table cannot be read"},
			{exitUsage, "usage error"},
			{exitBusy, "another process keeps the ledger locked"},
			{exitWarnings, "there are warnings"},
			{exitErrors, "there are errors"},
		},
		examples: []string{"ocr-run audit", "ocr-run audit --json | jq -r '.findings[].code'"},
		run:      runAudit,
	}
}

// runAudit lists the findings.
func runAudit(ctx context.Context, c call) error {
	l, err := c.readLedger(ctx)
	if err != nil {
		return err
	}
	var view render.Audit
	if l != nil {
		cfg, err := c.reaping(l)
		if err == nil {
			var found []reaper.Finding
			found, err = reaper.Audit(ctx, cfg)
			view = auditView(found)
		}
		if err := errors.Join(err, l.Close()); err != nil {
			return c.failed(err)
		}
	}
	err = c.printEither(func() string { return render.AuditTable(c.style(), view) }, func() ([]byte, error) { return render.AuditJSON(view) })
	if err != nil {
		return err
	}
	return bySeverity(view.Errors, view.Warnings)
}

// bySeverity is the exit code of findings: by the worst of them.
func bySeverity(failed, warned int) error {
	switch {
	case failed > 0:
		return answered(exitErrors)
	case warned > 0:
		return answered(exitWarnings)
	default:
		return nil
	}
}

// auditView is findings as the JSON contract shows them.
func auditView(found []reaper.Finding) render.Audit {
	var view render.Audit
	for _, f := range found {
		if f.Severity == reaper.SeverityError {
			view.Errors++
		} else {
			view.Warnings++
		}
		view.Findings = append(view.Findings, render.Finding{
			Code: string(f.Code), Severity: string(f.Severity), UID: render.OrNull(f.UID),
			WorkflowID: render.OrNull(f.WorkflowID), PID: render.OrNull(f.PID), Detail: f.Detail,
		})
	}
	return view
}
