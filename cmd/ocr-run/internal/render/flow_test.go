package render

import (
	"fmt"
	"strings"
	"testing"
)

// aFlow is a flow that says as much as a flow can.
func aFlow() Flow {
	return Flow{
		SchemaVersion: SchemaVersion, ID: "01975e3a-3333-7000-8000-0000f10f10f1", Goal: new("review \x1b[2J all"), Owner: "me",
		Workspace: new("/home/u/proj"), Status: "waiting", Why: new("waiting"), Detail: new("for the release"), Outcome: "running",
		Revision: 7, MaxParallel: new(4), Runs: FlowCounts{Queued: 3, Running: 2, Success: 4, Incomplete: 1, Failed: 1, Cancelled: 1},
		BegunByUID: new(unfinished().UID), CreatedAt: Time(noon - 7200_000), ChangedAt: TimeOrNull(noon - 60_000),
		CancelRequestedAt: TimeOrNull(noon - 30_000),
	}
}

// ended is a flow that says as little as it can.
func endedFlow() Flow {
	return Flow{
		SchemaVersion: SchemaVersion, ID: "nightly", Owner: "me", Status: "succeeded", Outcome: "incomplete", Cause: new("child-failed"),
		Revision: 3, CreatedAt: Time(noon - 7200_000), EndedAt: TimeOrNull(noon),
	}
}

// aTree is a flow with runs, one in the other, and a run beside it.
func aTree() []Node {
	queued := running()
	queued.Process.End, queued.AwakeMS, queued.Name = "queued", new(int64(1500)), new("later")
	return []Node{
		{Flow: new(aFlow()), Children: []Node{
			{Execution: new(unfinished()), Children: []Node{{Execution: new(others()[0])}, {Flow: new(endedFlow())}}},
			{Execution: new(queued)},
		}},
		{Execution: new(running())},
	}
}

func TestFlows(t *testing.T) {
	t.Parallel()
	at := Style{NowMS: noon}
	cancelled := FlowCancelled{Result: "accepted", Flow: new(aFlow()), Runs: []FlowStopping{
		{"u1", "woken"}, {"u2", "woken"}, {"u3", "asked"}, {"u4", "ended"}, {"u5", "settled"}, {"u6", "unreachable"},
	}, Processes: []OwnedProcess{{PID: 7, UID: "u5", Command: "sleep 9", Action: "stop", Done: true, Signal: new("SIGTERM")}}}
	for name, got := range map[string]string{
		"flow.txt": FlowText(at, aFlow()) + FlowText(at, endedFlow()) + FlowLine(at, aFlow()) + FlowLine(at, endedFlow()) +
			FlowCancelledText(at, cancelled) + FlowCancelledText(at, FlowCancelled{Result: "settled", Flow: new(endedFlow())}),
		"flow_list.txt":  FlowTable(Style{}, []Flow{aFlow(), endedFlow()}) + FlowTable(Style{}, nil),
		"tree.txt":       Tree(Style{}, aTree()) + Tree(Style{}, nil),
		"tree_color.txt": Tree(Style{Color: true, Columns: 70}, aTree()),
		"screen.txt":     strings.Join(Screen(Style{Columns: 80}, 9, 3, aFlow(), watched()), "\n") + "\n",
	} {
		checkGolden(t, name, got)
	}
	for name, encode := range map[string]func() ([]byte, error){
		"flow.json":        func() ([]byte, error) { return FlowsJSON([]Flow{aFlow(), endedFlow()}) },
		"tree.json":        func() ([]byte, error) { return TreeJSON(aTree()) },
		"flow_cancel.json": func() ([]byte, error) { return FlowCancelledJSON(FlowCancelled{Result: "not_found"}) },
		"flow_shown.json":  func() ([]byte, error) { return FlowShownJSON(endedFlow(), nil) },
	} {
		b, err := encode()
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, name, string(b))
	}
}

// watched are runs of every kind, more than fit.
func watched() []Watched {
	all := []Watched{{Execution: unfinished()}}
	for i := range 6 {
		w := Watched{Execution: running(), Doing: fmt.Sprintf("step %d of a very long way to the end of the line\x07", i)}
		w.AwakeMS = new(int64(1000 * i))
		all = append(all, w)
	}
	all[2].Liveness = "late"
	all[3].Process.End = "queued"
	all[4].Outcome, all[4].Liveness = "success", "ended"
	for _, e := range others() {
		all = append(all, Watched{Execution: e})
	}
	return all
}

// No line of a screen is wider than the terminal, and there are no more of them than
// it has rows, so that the next screen takes the place of the last.
func TestScreenFits(t *testing.T) {
	t.Parallel()
	for columns := 32; columns < 140; columns++ {
		for rows := 4; rows < 16; rows++ {
			lines := Screen(Style{Columns: columns}, rows, rows, aFlow(), watched())
			if len(lines) >= rows {
				t.Fatalf("%d lines on %d rows", len(lines), rows)
			}
			for _, l := range lines {
				if Width(l) > columns {
					t.Fatalf("%d columns: %d wide: %s", columns, Width(l), l)
				}
			}
		}
	}
	if got := ScreenOver(0) + ScreenOver(3); got != "\x1b[3A\x1b[0J" {
		t.Errorf("%q", got)
	}
}

// The parts of a bar are as long as the counts, whatever they are.
func TestBarIsFull(t *testing.T) {
	t.Parallel()
	for _, c := range []FlowCounts{{}, {Success: 1}, {Running: 7, Failed: 3}, {Queued: 5, Success: 2, Incomplete: 2, Cancelled: 2}} {
		bar, _, _ := strings.Cut(barLine(Style{}, c), " ")
		if Width(bar) != barColumns {
			t.Errorf("%+v: %q is %d wide", c, bar, Width(bar))
		}
	}
}
