package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// flowsForever asks for something of some flow, once for each byte it is sent, and
// acknowledges each answer with one line, until it is killed.
func flowsForever(l *store.Ledger) error {
	ctx, next := context.Background(), make([]byte, 1)
	for n := 1; ; n++ {
		if _, err := os.Stdin.Read(next); err != nil {
			return err
		}
		what, err := anyFlowStep(ctx, l, os.Args[2]+"-"+strconv.Itoa(n))
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		acknowledge("done", what)
	}
}

// anyFlowStep does one of the things that processes do, mostly to a flow that is
// open; uid names what it makes.
func anyFlowStep(ctx context.Context, l *store.Ledger, uid string) (what string, err error) {
	at := storetest.At(1000 + rand.Int64N(1000))
	open, err := l.Flows(ctx, store.FlowFilter{Open: rand.IntN(10) > 0})
	if err != nil {
		return "list", err
	}
	if len(open) < 2 || rand.IntN(30) == 0 {
		_, _, _, err := l.CreateFlow(ctx, store.NewFlow{ID: "flow-" + uid, Owner: "me", Workspace: "/w", MaxParallel: rand.IntN(4), At: at})
		return "create", err
	}
	f := open[rand.IntN(len(open))]
	ask := lifecycle.FlowAsk{Revision: []int64{0, 0, f.Revision}[rand.IntN(3)]}
	moves := lifecycle.FlowMoves()[1:]
	switch n := rand.IntN(40); {
	case n < 16:
		a := storetest.Announcement(uid, os.Getpid(), at.WallMS)
		a.FlowID, a.Queued = f.ID, n < 4
		_, err = l.RunInFlow(ctx, store.FlowRun{Announcement: a, Ask: ask})
		return "run", err
	case n < 34:
		return endAny(ctx, l, f, at)
	case n < 36:
		_, err = l.CancelFlow(ctx, store.FlowCancel{ID: f.ID, At: at})
		return "cancel", err
	default:
		move := moves[rand.IntN(len(moves))]
		if (move == lifecycle.FlowFinish || move == lifecycle.FlowFail) && rand.IntN(4) > 0 {
			move = lifecycle.FlowResume // or no flow would live for long
		}
		_, _, err = l.ChangeFlow(ctx, store.FlowChange{ID: f.ID, Move: move, Ask: ask, At: at})
		return string(move), err
	}
}

// endAny launches, ends or loses some run of a flow.
func endAny(ctx context.Context, l *store.Ledger, f store.Flow, at store.Instant) (string, error) {
	all, err := l.FlowExecutions(ctx, f.ID)
	if err != nil || len(all) == 0 {
		return "look", err
	}
	e := all[rand.IntN(len(all))]
	switch n := rand.IntN(6); {
	case e.Process.End == lifecycle.EndQueued && n > 0:
		_, err = l.TakeSlot(ctx, store.SlotRequest{UID: e.UID, Generation: 1})
		return "slot", err
	case n == 1 && e.StartedAtMS == 0 && !e.Process.End.Over():
		return "launch", l.Launched(ctx, storetest.Launch(e.UID, os.Getpid()+int(rand.Int32N(1<<20)), at.WallMS))
	case n == 2:
		return "lose", finish(ctx, l, lost(e.UID, at.WallMS))
	default:
		return "end", finish(ctx, l, storetest.Exit(e.UID, 0, at.WallMS))
	}
}

// Processes that run, end, lose, cancel and finish at once, and are killed at random
// moments, break no rule at any step that one of them has acknowledged.
func TestKilledProcessesLeaveFlowsWhole(t *testing.T) {
	t.Parallel()
	rounds, each := 3, 25
	if testing.Short() || raceDetector {
		rounds, each = 1, 12
	}
	if n, err := strconv.Atoi(os.Getenv(killRoundsVariable)); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	steps, ended, flows := map[string]int{}, 0, 0
	for round := range rounds {
		// A ledger lives through many kills, but checking it takes longer the
		// longer it gets.
		path := filepath.Join(dir, fmt.Sprintf("ledger%d.db", round/4))
		storetest.Open(t, path) // so that there is something to look at
		db := storetest.Raw(t, path)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 4 {
			name := fmt.Sprintf("r%dp%d", round, i)
			wg.Go(func() {
				err := killedActor(t, path, name, 1+rand.IntN(each), func(what string) {
					mu.Lock()
					defer mu.Unlock()
					steps[what]++
					if !t.Failed() {
						ended, flows = storetest.CheckFlows(t, db)
					}
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		must(t, store.Check(t.Context(), path))
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%v, %d of the last %d flows have ended", steps, ended, flows)
}

// killedActor starts a process, has it take so many steps, each told of before the
// next, and kills it in the middle of one more.
func killedActor(t *testing.T, path, name string, last int, told func(string)) error {
	t.Helper()
	cmd := play(t, "flows", path, name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for n := range last {
		_, err := in.Write([]byte{1})
		if err != nil || !lines.Scan() {
			return fmt.Errorf("process %s ended by itself after %d steps: %w", name, n, errors.Join(err, lines.Err(), cmd.Wait()))
		}
		told(strings.TrimPrefix(lines.Text(), "done "))
	}
	_, err = in.Write([]byte{1})
	for range rand.IntN(2000) {
		runtime.Gosched() // somewhere between before the step and after it
	}
	err = errors.Join(err, cmd.Process.Kill())
	_ = cmd.Wait() // killed, as intended
	return err
}
