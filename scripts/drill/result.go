//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// result is what came of one scenario.
type result struct {
	// kinds and died count what was started and how it ended.
	kinds, died map[string]int
	// escaped is how many processes of the runs lived before the sweep, recycled
	// how many bystanders had a pid of the ledger's.
	escaped, recycled int
	// named are those that a sweep left alone for want of a second proof.
	named []string
	// first and second are how long the two sweeps took, cpu what they used.
	first, second time.Duration
	// faults are everything that went wrong; none in a good result.
	faults []string
}

// fault notes that something went wrong.
func (r *result) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// most bounds how many faults are printed one by one.
const most = 20

// print tells a person.
func (r *result) print(out io.Writer, s scenario) {
	verdict := "passed"
	if len(r.faults) > 0 {
		verdict = "FAILED"
	}
	groups := "with control groups"
	if !s.grouped {
		groups = "without control groups"
	}
	fmt.Fprintf(out, "%s: %s: %d runs %s (seed %d), %d bystanders, %d of them with recycled pids; %d escapees lived before the sweep; it took %v, and %v again\n",
		s.name, verdict, s.runs, groups, s.seed, s.bystanders, r.recycled, r.escaped, r.first.Round(time.Millisecond), r.second.Round(time.Millisecond))
	fmt.Fprintf(out, "  escapees: %s\n  deaths: %s\n", counts(r.kinds), counts(r.died))
	if len(r.named) > 0 {
		fmt.Fprintf(out, "  named for want of a second proof: %d: %s\n", len(r.named), strings.Join(r.named[:min(len(r.named), 5)], "; "))
	}
	for _, f := range r.faults[:min(len(r.faults), most)] {
		fmt.Fprintf(out, "  fault: %s\n", f)
	}
	if n := len(r.faults) - most; n > 0 {
		fmt.Fprintf(out, "  and %d more\n", n)
	}
}

// counts prints a tally.
func counts(of map[string]int) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(of)) {
		words = append(words, fmt.Sprintf("%s %d", k, of[k]))
	}
	return strings.Join(words, ", ")
}
