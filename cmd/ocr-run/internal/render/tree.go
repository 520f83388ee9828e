package render

import (
	"strings"
)

// Node is one place in the tree of flows and runs: either of the two, and what
// belongs to it.
type Node struct {
	Flow      *Flow      `json:"flow"`
	Execution *Execution `json:"execution"`
	Children  []Node     `json:"children"`
}

// forest is the object that shows trees.
type forest struct {
	SchemaVersion int    `json:"schema_version"`
	Tree          []Node `json:"tree"`
}

// TreeJSON is a list of trees with no list left null.
func TreeJSON(all []Node) ([]byte, error) { return indented(forest{SchemaVersion, filledNodes(all)}) }

// FlowShownJSON is a flow with its tree, with no list left null.
func FlowShownJSON(f Flow, tree []Node) ([]byte, error) {
	return indented(FlowShown{SchemaVersion, f, filledNodes(tree)})
}

// filledNodes are nodes with no list left nil.
func filledNodes(all []Node) []Node {
	out := make([]Node, 0, len(all))
	for _, n := range all {
		if n.Execution != nil {
			n.Execution = new(n.Execution.filled())
		}
		n.Children = filledNodes(n.Children)
		out = append(out, n)
	}
	return out
}

// Tree draws flows and runs below what they belong to, with states, times and
// causes; empty without any.
func Tree(s Style, all []Node) string {
	var b strings.Builder
	for _, n := range all {
		b.WriteString(nodeLine(s, n, 0))
		branches(&b, s, n.Children, "")
	}
	return b.String()
}

// branches draws what is below a node, behind what leads there.
func branches(b *strings.Builder, s Style, all []Node, lead string) {
	for i, n := range all {
		turn, below := "├─ ", "│  "
		if i == len(all)-1 {
			turn, below = "└─ ", "   "
		}
		b.WriteString(s.paint(dim, lead+turn) + nodeLine(s, n, Width(lead+turn)))
		branches(b, s, n.Children, lead+below)
	}
}

// nodeLine is one node; used columns are taken already.
func nodeLine(s Style, n Node, used int) string {
	if n.Flow != nil {
		f := *n.Flow
		head := s.paint(bold, "flow "+Plain(ShortFlow(f.ID))) + "  " + flowState(s, f) + "  "
		tail := runsText(f)
		if f.Status == "waiting" || f.Status == "blocked" {
			tail += "; " + whyText(f)
		}
		if f.Goal != nil {
			tail += "; " + Plain(*f.Goal)
		}
		plainWidth := Width("flow "+ShortFlow(f.ID)) + Width(flowState(Style{}, f)) + 4
		return head + cut(s, tail, used+plainWidth) + "\n"
	}
	e := *n.Execution
	state, col := runState(e)
	fields := ShortUID(e.UID) + "  "
	text := s.paint(col, state) + "  " + timeOf(e) + "  "
	plainWidth := Width(fields) + Width(state) + Width(timeOf(e)) + 4
	return fields + text + cut(s, what(e), used+plainWidth) + "\n"
}

// cut fits the last part of a line.
func cut(s Style, text string, used int) string {
	if s.Columns <= 0 {
		return text
	}
	return Truncate(text, max(s.Columns-used, leastLast))
}

// runState is how a run is doing, or what it amounts to and why.
func runState(e Execution) (string, color) {
	if e.Outcome == "running" {
		return stateText(e)
	}
	text := e.Outcome
	if c := known(e.Cause); c != nil {
		text += " (" + *c + ")"
	}
	return text, outcomeColor(e.Outcome)
}

// timeOf is how long a run has been awake, a dash when nobody knows.
func timeOf(e Execution) string { return since(e.AwakeMS) }

// what is the name of a run and its command.
func what(e Execution) string {
	text := ShortCommand(e.Command)
	if e.Name != nil {
		text = Plain(*e.Name) + ": " + text
	}
	if st := stage(e.Workflow); st != "-" {
		text = "[" + st + "] " + text
	}
	return text
}
