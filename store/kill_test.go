package store_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ocr-run/ocr-run/store"
)

// killRoundsVariable sets how many rounds of writers are killed.
const killRoundsVariable = "OCR_RUN_KILL_ROUNDS"

// Writers killed at random moments lose no acknowledged write, and what they
// leave is intact.
func TestKilledWritersLoseNothing(t *testing.T) {
	t.Parallel()
	rounds := 100
	if testing.Short() || raceDetector {
		rounds = 10
	}
	if n, err := strconv.Atoi(os.Getenv(killRoundsVariable)); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	acknowledged := 0
	for round := range rounds {
		// A ledger lives through many kills, but checking it takes longer
		// the longer it gets.
		path := filepath.Join(dir, fmt.Sprintf("ledger%d.db", round/25))
		acks := killRound(t, path, round)
		acknowledged += len(acks)
		checkAcks(t, path, acks)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d rounds, %d acknowledged writes", rounds, acknowledged)
}

// killRound runs three writers, kills each after a random number of its
// acknowledgements, and returns all of them.
func killRound(t *testing.T, path string, round int) []string {
	t.Helper()
	var mu sync.Mutex
	var acks []string
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			mine, err := killedWriter(t, path, fmt.Sprintf("r%dw%d", round, i))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			acks = append(acks, mine...)
		})
	}
	wg.Wait()
	return acks
}

// killedWriter starts a writer and kills it. It reads to the end of the pipe:
// what was acknowledged before the kill counts.
func killedWriter(t *testing.T, path, name string) ([]string, error) {
	t.Helper()
	cmd := play(t, "writer", path, name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var acks []string
	lines, last := bufio.NewReader(out), rand.IntN(30)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		acks = append(acks, strings.TrimSpace(line))
		if len(acks) == last+1 {
			if err := cmd.Process.Kill(); err != nil {
				return nil, err
			}
		}
	}
	_, err = io.Copy(io.Discard, out)
	_ = cmd.Wait() // killed, as intended
	return acks, err
}

// checkAcks opens what the writers left and looks for everything acknowledged.
func checkAcks(t *testing.T, path string, acks []string) {
	t.Helper()
	must(t, store.Check(t.Context(), path))
	l, err := store.Open(t.Context(), store.Config{Path: path})
	must(t, err)
	defer func() { must(t, l.Close()) }()
	beats := map[string]int64{}
	for _, ack := range acks {
		what, uid, _ := strings.Cut(ack, " ")
		e, err := l.Execution(t.Context(), uid)
		if err != nil {
			t.Errorf("%s is lost: %v", ack, err)
			continue
		}
		if what == "beat" {
			beats[uid]++
		}
		kept := map[string]bool{
			"announced": true, "launched": e.StartedAtMS != 0, "beat": e.Beats >= beats[uid], "finished": e.Process.End.Over(),
		}
		if !kept[what] {
			t.Errorf("%s is lost: %+v", ack, e)
		}
	}
}
