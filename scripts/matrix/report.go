package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

type row struct {
	cell    cell
	results []result
}

type table struct {
	wrappers []wrapper
	rows     []row
}

func (t *table) print(opts options) error {
	if opts.json {
		if err := t.writeJSON(os.Stdout); err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
	} else if err := t.writeText(os.Stdout); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	if opts.markdown == "" {
		return nil
	}
	if err := os.WriteFile(opts.markdown, []byte(t.markdown()), 0o644); err != nil {
		return fmt.Errorf("write the Markdown table: %w", err)
	}
	return nil
}

// tally counts one wrapper's verdicts in a group; an empty group means all.
func (t *table) tally(column int, group string) map[verdict]int {
	count := map[verdict]int{}
	for _, r := range t.rows {
		if group == "" || r.cell.group == group {
			count[r.results[column].Verdict]++
		}
	}
	return count
}

func score(count map[verdict]int) string {
	text := fmt.Sprintf("%d of %d", count[pass], count[pass]+count[fail])
	if count[skip] > 0 {
		text += fmt.Sprintf(", %d skipped", count[skip])
	}
	return text
}

func (t *table) failed(name string) bool {
	for i, w := range t.wrappers {
		if w.name == name && t.tally(i, "")[fail] > 0 {
			return true
		}
	}
	return false
}

func (t *table) writeText(out io.Writer) error {
	tabs := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(first string, value func(i int) string) {
		row := []string{first}
		for i := range t.wrappers {
			row = append(row, value(i))
		}
		fmt.Fprintln(tabs, strings.Join(row, "\t"))
	}
	line("CELL", func(i int) string { return t.wrappers[i].name })
	for _, r := range t.rows {
		line(r.cell.group+"/"+r.cell.name, func(i int) string { return string(r.results[i].Verdict) })
	}
	for _, group := range t.groups() {
		line(group+" total", func(i int) string { return score(t.tally(i, group)) })
	}
	line("TOTAL", func(i int) string { return score(t.tally(i, "")) })
	if err := tabs.Flush(); err != nil {
		return err
	}
	for _, r := range t.rows {
		for i, res := range r.results {
			if res.Verdict == fail {
				fmt.Fprintf(out, "%s FAIL %s: %s\n", t.wrappers[i].name, r.cell.name, res.Detail)
			}
		}
	}
	return nil
}

func (t *table) groups() []string {
	var groups []string
	seen := map[string]bool{}
	for _, r := range t.rows {
		if !seen[r.cell.group] {
			seen[r.cell.group] = true
			groups = append(groups, r.cell.group)
		}
	}
	return groups
}

type jsonCell struct {
	Name    string            `json:"name"`
	Group   string            `json:"group"`
	Does    string            `json:"does"`
	Results map[string]result `json:"results"`
}

func (t *table) writeJSON(out io.Writer) error {
	cells := make([]jsonCell, 0, len(t.rows))
	for _, r := range t.rows {
		c := jsonCell{Name: r.cell.name, Group: r.cell.group, Does: r.cell.does, Results: map[string]result{}}
		for i, w := range t.wrappers {
			c.Results[w.name] = r.results[i]
		}
		cells = append(cells, c)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"schema_version": 1, "cells": cells})
}

func (t *table) markdown() string {
	var b strings.Builder
	b.WriteString(markdownHead)
	for _, group := range t.groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| cell | what must hold |", groupTitles()[group])
		for _, w := range t.wrappers {
			fmt.Fprintf(&b, " %s |", w.name)
		}
		b.WriteString("\n|---|---|" + strings.Repeat("---|", len(t.wrappers)) + "\n")
		for _, r := range t.rows {
			if r.cell.group == group {
				b.WriteString(markdownRow(r))
			}
		}
		b.WriteString("| **total** | |")
		for i := range t.wrappers {
			fmt.Fprintf(&b, " **%s** |", score(t.tally(i, group)))
		}
		b.WriteString("\n")
	}
	b.WriteString(t.failures())
	return b.String()
}

func markdownRow(r row) string {
	columns := []string{"", "`" + r.cell.name + "`", markdownText(r.cell.does)}
	for _, res := range r.results {
		columns = append(columns, map[verdict]string{pass: "yes", fail: "**no**", skip: "–"}[res.Verdict])
	}
	return strings.TrimSpace(strings.Join(append(columns, ""), " | ")) + "\n"
}

// detailMost is how much of what a cell saw the page shows, in bytes: the rest is
// mostly the machine's own paths.
const detailMost = 60

// shorten cuts a detail for the page.
func shorten(detail string) string {
	if len(detail) <= detailMost {
		return detail
	}
	return strings.ToValidUTF8(detail[:detailMost], "") + "…"
}

// failures says, under the tables, what was seen where a cell did not hold, and why one could not be made.
func (t *table) failures() string {
	var b strings.Builder
	for i, w := range t.wrappers {
		fmt.Fprintf(&b, "\n## What was seen: %s\n\n", w.name)
		for _, r := range t.rows {
			res := r.results[i]
			if res.Verdict != pass {
				fmt.Fprintf(&b, "- `%s`, %s: %s\n", r.cell.name, strings.ToLower(string(res.Verdict)), markdownText(shorten(res.Detail)))
			}
		}
	}
	return b.String()
}

// markdownText keeps what a terminal printed from becoming markup.
func markdownText(text string) string {
	return strings.NewReplacer("<", "&lt;", "|", `\|`, "*", `\*`, "`", "'").Replace(text)
}

func groupTitles() map[string]string {
	return map[string]string{
		groupMatrix: "The classic matrix", groupNasty: "Nasty cases", groupInit: "What an init promises",
		groupLedger: "Trouble with the wrapper's own state", groupThrough: "The command cannot tell", groupScreen: "The same picture",
	}
}

const markdownHead = `# Behaviour matrix

Generated by ` + "`go run ./scripts/matrix`" + `; do not edit. Each cell is a black-box test of one wrapper, run on Linux. *yes*: it holds; **no**: it does
not; –: it was not run, because it means nothing there or the machine lacks something. A bare command is the measure of the cells.
`
