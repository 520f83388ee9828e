package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// number is a measured value; NaN means it was not measured and is null in JSON.
type number float64

// MarshalJSON writes null for a value that was not measured.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// text prints three significant digits or so, and a dash for nothing.
func (n number) text() string {
	v := math.Abs(float64(n))
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case v >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", float64(n))
	case v >= 10:
		return fmt.Sprintf("%.1f", float64(n))
	default:
		return fmt.Sprintf("%.2f", float64(n))
	}
}

// missing is the value of what was not measured.
func missing() number { return number(math.NaN()) }

// percentile picks the nearest rank of the samples; NaN without any.
func percentile(samples []float64, p float64) number {
	if len(samples) == 0 {
		return missing()
	}
	sorted := slices.Sorted(slices.Values(samples))
	if p == 50 && len(sorted)%2 == 0 {
		return number((sorted[len(sorted)/2-1] + sorted[len(sorted)/2]) / 2)
	}
	rank := int(math.Ceil(p/100*float64(len(sorted)))) - 1
	return number(sorted[max(rank, 0)])
}

// report is the whole output.
type report struct {
	Machine machine  `json:"machine"`
	Notes   []string `json:"notes"`
	Tables  []table  `json:"tables"`
}

// table is one measurement.
type table struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Columns []string `json:"columns"` // of Values, without the peer
	Rows    []row    `json:"rows"`
	Gates   []gate   `json:"gates"`
	Notes   []string `json:"notes"`
	Load    string   `json:"load,omitempty"` // load average when it ended
}

// row is what one peer scored, in the order of the columns.
type row struct {
	Peer   string   `json:"peer"`
	Values []number `json:"values"`
}

// gate is one target. Verdict is "ok", "over", or "-" when nothing was measured.
type gate struct {
	What    string `json:"what"`
	Value   number `json:"value"`
	Target  string `json:"target"`
	Verdict string `json:"verdict"`
}

// atMost judges a value that should be small.
func atMost(what string, value number, limit float64) gate {
	return gate{what, value, "≤ " + number(limit).text(), verdict(value, float64(value) <= limit)}
}

// atLeast judges a value that should be large.
func atLeast(what string, value number, limit float64) gate {
	return gate{what, value, "≥ " + number(limit).text(), verdict(value, float64(value) >= limit)}
}

func verdict(value number, ok bool) string {
	switch {
	case math.IsNaN(float64(value)):
		return "-"
	case ok:
		return "ok"
	default:
		return "over"
	}
}

// text is the value with enough digits to see on which side of the target it is.
func (g gate) text() string {
	if v := math.Abs(float64(g.Value)); v < 10 && v != math.Trunc(v) {
		return fmt.Sprintf("%.3f", float64(g.Value))
	}
	return g.Value.text()
}

// writeText prints the report for a terminal.
func (r report) writeText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, r.Machine.line())
	for _, note := range r.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	for _, t := range r.Tables {
		fmt.Fprintf(out, "\n%s: %s\n", t.Name, t.Title)
		fmt.Fprintln(out, strings.Join(append([]string{"peer"}, t.Columns...), "\t"))
		for _, row := range t.Rows {
			fmt.Fprintln(out, strings.Join(row.cells(), "\t"))
		}
		for _, g := range t.Gates {
			fmt.Fprintf(out, "%s: %s (target %s) %s\n", g.What, g.text(), g.Target, g.Verdict)
		}
		for _, note := range t.Notes {
			fmt.Fprintln(out, "note:", note)
		}
	}
	return out.Flush()
}

// cells renders a row.
func (r row) cells() []string {
	cells := []string{r.Peer}
	for _, v := range r.Values {
		cells = append(cells, v.text())
	}
	return cells
}
