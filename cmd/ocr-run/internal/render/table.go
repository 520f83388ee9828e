package render

import (
	"slices"
	"strings"
)

// cell is one field of a table.
type cell struct {
	text  string
	color color
}

// leastLast is the fewest columns the last column is cut to: on a narrower
// terminal lines wrap instead, for half a command is worth more than none.
const leastLast = 20

// table lays out rows under a header. Only the last column is ever cut.
func table(s Style, header []string, rows [][]cell) string {
	widths := columnWidths(header, rows)
	var b strings.Builder
	heads := make([]cell, len(header))
	for i, h := range header {
		heads[i] = cell{h, bold}
	}
	writeRow(&b, s, widths, heads)
	for _, r := range rows {
		writeRow(&b, s, widths, r)
	}
	return b.String()
}

// columnWidths is the width of every column but the last.
func columnWidths(header []string, rows [][]cell) []int {
	widths := make([]int, len(header)-1)
	for i := range widths {
		widths[i] = Width(header[i])
		for _, r := range rows {
			widths[i] = max(widths[i], Width(r[i].text))
		}
	}
	return widths
}

// writeRow writes one row. Padding is outside of the colours.
func writeRow(b *strings.Builder, s Style, widths []int, row []cell) {
	used := 0
	for i, w := range widths {
		b.WriteString(s.paint(row[i].color, row[i].text))
		b.WriteString(pad("", w-Width(row[i].text)+2))
		used += w + 2
	}
	last := row[len(widths)]
	room := 0
	if s.Columns > 0 {
		room = max(s.Columns-used, leastLast)
	}
	b.WriteString(s.paint(last.color, Truncate(last.text, room)))
	b.WriteByte('\n')
}

// PS is the table of runs that have not ended; empty without any.
func PS(s Style, all []Execution) string {
	if len(all) == 0 {
		return ""
	}
	rows := make([][]cell, 0, len(all))
	for _, e := range all {
		state, shade := stateText(e)
		rows = append(rows, []cell{
			{ShortUID(e.UID), plain},
			{state, shade},
			{lamps(e.Lights), plain},
			{since(e.AwakeMS), plain},
			{orDash(e.Name, e.Agent), plain},
			{stage(e.Workflow), plain},
			{orDash(e.Workspace), dim},
			{ShortCommand(e.Command), plain},
		})
	}
	return table(s, []string{"UID", "STATE", "LIGHTS", "AWAKE", "NAME", "WORKFLOW", "WORKSPACE", "COMMAND"}, rows)
}

// sourceLedger is the source of our own rows, which a table of nothing else need
// not name.
const sourceLedger = "ledger"

// History is the table of ended runs; empty without any. Whose row each is, is
// said where there are others than ours.
func History(s Style, all []Execution) string {
	if len(all) == 0 {
		return ""
	}
	header := []string{"UID", "ENDED (UTC)", "OUTCOME", "CAUSE", "EXIT", "AWAKE", "NAME", "WORKFLOW", "COMMAND"}
	mixed := slices.ContainsFunc(all, func(e Execution) bool { return e.Source != sourceLedger })
	if mixed {
		header = slices.Insert(header, sourceColumn, "SOURCE")
	}
	rows := make([][]cell, 0, len(all))
	for _, e := range all {
		row := []cell{
			{ShortUID(e.UID), plain},
			{clockTime(e.EndedAt), plain},
			{e.Outcome, outcomeColor(e.Outcome)},
			{orDash(known(e.Cause)), plain},
			{endText(e.Process), plain},
			{since(e.AwakeMS), plain},
			{orDash(e.Name, e.Agent), plain},
			{stage(e.Workflow), plain},
			{ShortCommand(e.Command), plain},
		}
		if mixed {
			row = slices.Insert(row, sourceColumn, cell{e.Source, dim})
		}
		rows = append(rows, row)
	}
	return table(s, header, rows)
}

// sourceColumn is where the source stands: after the uid.
const sourceColumn = 1

// stage says where a workflow stands, as in "review 1/reviews".
func stage(w *Workflow) string {
	if w == nil {
		return "-"
	}
	text := w.Kind
	if w.Round != nil {
		text += " " + number(*w.Round)
	}
	if w.Phase != nil {
		text += "/" + *w.Phase
	}
	return Plain(text)
}
