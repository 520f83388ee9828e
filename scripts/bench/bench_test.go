package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		samples []float64
		p       float64
		want    string
	}{
		{nil, 50, "-"},
		{[]float64{3}, 99, "3"},
		{[]float64{4, 1, 3, 2}, 50, "2.50"},
		{[]float64{3, 1, 2}, 50, "2"},
		{[]float64{3, 1, 2}, 0, "1"},
		{[]float64{3, 1, 2}, 99, "3"},
	} {
		if got := percentile(c.samples, c.p).text(); got != c.want {
			t.Errorf("percentile(%v, %v) = %s, want %s", c.samples, c.p, got, c.want)
		}
	}
}

func TestSeqSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int64{9: 27, 10: 31, 5_000_000: 43_888_896} {
		if got := seqSize(n); got != want {
			t.Errorf("seqSize(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestGates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gate gate
		want string
	}{
		{atMost("", 1.4, 1.4), "ok"},
		{atMost("", 1.5, 1.4), "over"},
		{atMost("", missing(), 1.4), "-"},
		{atLeast("", 0.9, 0.9), "ok"},
		{atLeast("", 0.8, 0.9), "over"},
		{atLeast("", missing(), 0.9), "-"},
	} {
		if c.gate.Verdict != c.want {
			t.Errorf("%v against %s: %s, want %s", c.gate.Value, c.gate.Target, c.gate.Verdict, c.want)
		}
	}
}

func TestMissingIsNull(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal([]number{missing(), 2})
	if err != nil || string(text) != "[null,2]" {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestMarkdownKeepsTheProse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	r := report{Tables: []table{{Title: "First", Columns: []string{"median"}, Rows: []row{{bareName, []number{1}}}}}}
	if err := r.writeMarkdown(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("Before.\n"), append(text, "After.\n"...)...), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Tables[0].Title = "Second"
	if err := r.writeMarkdown(path); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "Before.\n") || !strings.HasSuffix(got, "After.\n") || !strings.Contains(got, "## Second") || strings.Contains(got, "## First") {
		t.Errorf("wrong file:\n%s", got)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	listing := `{"executions":[
		{"uid":"a","liveness":"live","recording":"ok","last_heartbeat_at":"1970-01-01T00:01:40.000Z"},
		{"uid":"b","liveness":"live","recording":"ok","last_heartbeat_at":"1970-01-01T00:01:33.000Z"},
		{"uid":"c","liveness":"gone","recording":"ok","last_heartbeat_at":"1970-01-01T00:01:40.000Z"},
		{"uid":"d","liveness":"live","recording":"ok","last_heartbeat_at":null}]}`
	var w watched
	if err := w.judge([]byte(listing), 5, 100_000); err != nil {
		t.Fatal(err)
	}
	if w.wrong != 3 || w.missed != 1 || len(w.ages) != 2 {
		t.Errorf("wrong %d, missed %d, ages %v", w.wrong, w.missed, w.ages)
	}
}

// testLab is a bench without peers of its own.
func testLab(t *testing.T) *lab {
	t.Helper()
	return &lab{dir: t.TempDir(), env: os.Environ(), log: io.Discard, peers: []peer{prefix(bareName)}}
}

func TestThroughputCountsEveryByte(t *testing.T) {
	t.Parallel()
	l := testLab(t)
	argv := []string{"/bin/sh", "-c", "printf 12345"}
	if _, err := l.throughput(context.Background(), argv, 5); err != nil {
		t.Error(err)
	}
	if _, err := l.throughput(context.Background(), argv, 6); err == nil {
		t.Error("a lost byte went unnoticed")
	}
}

func TestEchoAndInterrupt(t *testing.T) {
	t.Parallel()
	l := testLab(t)
	if values, err := l.echo(context.Background(), l.peers[0]); err != nil || values[0] <= 0 || values[1] < values[0] {
		t.Errorf("echo: %v, %v", values, err)
	}
	if values, err := l.stopFlood(context.Background(), l.peers[0], "yes"); err != nil || values[0] <= 0 {
		t.Errorf("interrupt: %v, %v", values, err)
	}
}

func TestRoundsDropsAFailingPeer(t *testing.T) {
	t.Parallel()
	l := testLab(t)
	peers := []peer{prefix(bareName), prefix("broken", "false")}
	r, notes, err := l.rounds(context.Background(), 5, peers, func(ctx context.Context, p peer) ([]float64, error) {
		return l.timeDetached(ctx, p, "true")
	})
	if err != nil || len(notes) != maxFailures || len(r[bareName][0]) != 5 || r["broken"] != nil {
		t.Errorf("%v, %v, %v", r, notes, err)
	}
}
