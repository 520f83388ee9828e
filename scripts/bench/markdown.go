package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// The report goes between these two lines, so that the prose around it is
// written once and survives every run.
const (
	markBegin = "<!-- bench:begin -->"
	markEnd   = "<!-- bench:end -->"
)

// preamble is the prose of a file that does not exist yet.
const preamble = `# Benchmarks

Ratios between tools measured side by side, in one run, on one machine. Rounds are interleaved, their order is random, the median is
compared. ` + "`make bench`" + ` measures again and replaces everything below; ` + "`go run ./scripts/bench -h`" + ` explains the flags.

`

// writeMarkdown puts the report between the marks of a file, or at its end.
func (r report) writeMarkdown(path string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	before, after := string(old), ""
	if err != nil {
		before = preamble
	}
	if head, tail, found := strings.Cut(before, markBegin); found {
		before = head
		if _, rest, closed := strings.Cut(tail, markEnd); closed {
			after = strings.TrimPrefix(rest, "\n")
		}
	}
	text := before + markBegin + "\n" + r.markdown() + markEnd + "\n" + after
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// markdown renders the summary of all targets, then every table.
func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on: %s.\n\n", r.Machine.line())
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	b.WriteString("\n## Targets\n\n| What | Measured | Target | |\n|---|---:|---|---|\n")
	for _, t := range r.Tables {
		for _, g := range t.Gates {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.What, g.text(), g.Target, g.Verdict)
		}
	}
	for _, t := range r.Tables {
		t.markdown(&b)
	}
	return b.String()
}

// markdown renders one measurement.
func (t table) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n| Peer | %s |\n|---|%s\n", t.Title, strings.Join(t.Columns, " | "), strings.Repeat("---:|", len(t.Columns)))
	for _, row := range t.Rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row.cells(), " | "))
	}
	if len(t.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, note := range t.Notes {
		fmt.Fprintf(b, "- %s\n", note)
	}
}
