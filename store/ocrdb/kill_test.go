package ocrdb

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// These tell a copy of this test binary which database to write until it is
// killed, and which beat is its first.
const (
	victimEnv = "OCRDB_TEST_VICTIM"
	fromEnv   = "OCRDB_TEST_FROM"
)

// TestVictim is the process to be killed; alone it does nothing.
func TestVictim(t *testing.T) {
	path := os.Getenv(victimEnv)
	if path == "" {
		t.Skip("only started by another test")
	}
	from, err := strconv.ParseInt(os.Getenv(fromEnv), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	h := Host{Root: filepath.Dir(path), Path: path}
	r := h.Row(run(1))
	for n := from; ; n++ {
		if _, err := r.Beat(context.Background(), noon+n*60_000); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString(strconv.FormatInt(n, 10) + "\n")
	}
}

// TestAKilledWriterLeavesAWholeDatabase kills a writer at ten moments of its
// work; what it had said it wrote is there, and the next write cleans up.
func TestAKilledWriterLeavesAWholeDatabase(t *testing.T) {
	t.Parallel()
	for _, era := range []string{"v11", "v14"} {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, era)
			var last int64
			for round := range 10 {
				last = killed(t, h, int64(round)*1000, 1+round%4)
			}
			e, ok, err := h.Execution(t.Context(), uid(1))
			if err != nil || !ok || e.HeartbeatMS < noon+last*60_000 {
				t.Errorf("acknowledged beat %d: %+v, %v, %v", last, e, ok, err)
			}
			if err := h.Row(run(2)).Announce(t.Context(), noon); err != nil {
				t.Error(err)
			}
			sound(t, h, era)
		})
	}
}

// killed lets a writer write a number of times and kills it wherever it is
// then. It returns the last beat it acknowledged.
func killed(t *testing.T, h Host, from int64, writes int) (last int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victimEnv+"="+h.Path, fromEnv+"="+strconv.FormatInt(from, 10))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range writes {
		if !lines.Scan() {
			break
		}
		if last, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Errorf("victim: %s", lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	return last
}
