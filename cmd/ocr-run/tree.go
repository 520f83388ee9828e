package main

import (
	"context"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
)

// tree puts runs below the runs they were started in, and below their flows where
// those are given: a flow below the run that created it, if that is there. What
// nothing given leads to is a root. The order stays.
func (c call) tree(ctx context.Context, l *store.Ledger, all []store.Execution, flows []render.Flow) []render.Node {
	g := grown{runs: map[string]bool{}, flows: map[string]bool{}, below: map[string][]render.Node{}}
	for _, e := range all {
		g.runs[e.UID] = true
	}
	for _, f := range flows {
		g.flows[f.ID] = true
	}
	for _, f := range flows {
		above := ""
		if f.BegunByUID != nil && g.runs[*f.BegunByUID] {
			above = runKey(*f.BegunByUID)
		}
		g.below[above] = append(g.below[above], render.Node{Flow: &f})
	}
	inFlow := map[string]string{}
	for _, e := range all {
		inFlow[e.UID] = e.FlowID
	}
	for i, v := range c.views(ctx, l, all) {
		e, above := all[i], ""
		switch {
		case g.flows[e.FlowID] && (!g.runs[e.ParentUID] || inFlow[e.ParentUID] != e.FlowID):
			above = flowKey(e.FlowID)
		case g.runs[e.ParentUID]:
			above = runKey(e.ParentUID)
		}
		g.below[above] = append(g.below[above], render.Node{Execution: &v})
	}
	return g.grow("", map[string]bool{})
}

// grown is a tree taken apart: what is below each key, the roots below the empty
// one.
type grown struct {
	runs, flows map[string]bool
	below       map[string][]render.Node
}

// Keys of the places something can be below of.
func runKey(uid string) string { return "run " + uid }
func flowKey(id string) string { return "flow " + id }

// grow puts it together below a key. Each place is visited once: a ledger that was
// tampered with has no end otherwise.
func (g grown) grow(key string, seen map[string]bool) []render.Node {
	if seen[key] {
		return nil
	}
	seen[key] = true
	nodes := g.below[key]
	for i, n := range nodes {
		if n.Flow != nil {
			nodes[i].Children = g.grow(flowKey(n.Flow.ID), seen)
		} else {
			nodes[i].Children = g.grow(runKey(n.Execution.UID), seen)
		}
	}
	return nodes
}
