//go:build linux

package main

import (
	"fmt"
	"slices"
)

// scenario is one set of conditions.
type scenario struct {
	name string
	seed uint64
	runs int
	// bystanders is how many processes look on.
	bystanders int
	// linger is how long a run that is ready lives at most, in milliseconds.
	linger int
	// busy keeps every processor occupied.
	busy bool
	// files limits the descriptors of everything of ocr-run; 0 does not.
	files int
	// unprivileged has another user than root do all of it.
	unprivileged bool
	// grouped: the runs have control groups of their own, because ours may be
	// divided. Without, nothing holds who changes his identity for ever.
	grouped bool
	// recycle: bystanders get pids that the ledger remembers.
	recycle bool
	// rash: runs whose wrapper and monitor both die do so at any moment, also
	// before anything was written down. What then has but one proof is named only, as
	// it is without groups.
	rash bool
}

// tag marks what run n starts.
func (s scenario) tag(n int) string { return fmt.Sprintf("0.0001%08d%05d", s.seed%1e8, n) }

// looker marks bystander n.
func (s scenario) looker(n int) string { return fmt.Sprintf("0.0002%08d%05d", s.seed%1e8, n) }

// ours says whether a process's arguments carry the tag of a run, or of a bystander.
func (s scenario) ours(args []string) (run, bystander bool) {
	has := func(prefix string) bool {
		return slices.ContainsFunc(args, func(a string) bool { return len(a) == len(prefix)+5 && a[:len(prefix)] == prefix })
	}
	return has(fmt.Sprintf("0.0001%08d", s.seed%1e8)), has(fmt.Sprintf("0.0002%08d", s.seed%1e8))
}

// scenarios are all of them, in the order in which they are gone through.
func scenarios(o options) []scenario {
	base := scenario{seed: o.seed, runs: o.runs, bystanders: o.bystanders, linger: o.linger, grouped: canGroup(), recycle: o.recycle}
	all := []scenario{}
	for i, change := range []func(*scenario){
		func(s *scenario) { s.name = "plain" },
		func(s *scenario) { s.name, s.busy = "busy", true },
		func(s *scenario) { s.name, s.files = "few-files", 64 },
		func(s *scenario) { s.name, s.unprivileged = "unprivileged", true },
		func(s *scenario) { s.name, s.unprivileged, s.grouped = "no-groups", true, false },
		func(s *scenario) { s.name, s.rash = "rash", true },
	} {
		s := base
		change(&s)
		s.seed += uint64(i)
		all = append(all, s)
	}
	return all
}
