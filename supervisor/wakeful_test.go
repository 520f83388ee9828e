package supervisor

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// wakeLock counts how often it is held.
type wakeLock struct{ held *int }

// Release gives it back.
func (l wakeLock) Release() error { *l.held--; return nil }

// PID is who holds it.
func (wakeLock) PID() int { return 7 }

func TestWakefulness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		held, asked, holder := 0, 0, 0
		k := newWakefulness("test", func(pid int) { holder = pid }, func(err error) { t.Error(err) })
		k.acquire = func(ctx context.Context) (releaser, error) {
			asked++
			select {
			case <-time.After(time.Second):
				held++
				return wakeLock{&held}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		want := func(on bool, heldThen int) {
			t.Helper()
			k.want(on)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if held != heldThen || holder != 7*heldThen {
				t.Errorf("%d held by %d, want %d", held, holder, heldThen)
			}
		}
		want(false, 0)
		want(true, 1)
		want(true, 1)
		want(false, 0)
		// No longer wanted by the time it is given.
		k.want(true)
		want(false, 0)
		want(true, 1)
		k.release()
		if held != 0 || asked != 3 {
			t.Errorf("%d held at the end, asked %d times", held, asked)
		}
		want(true, 0)
		// The end waits for no answer.
		k = newWakefulness("test", func(int) {}, func(err error) { t.Error(err) })
		k.acquire = func(ctx context.Context) (releaser, error) { <-ctx.Done(); return nil, ctx.Err() }
		k.want(true)
		k.release()
		(*wakefulness)(nil).want(true)
		(*wakefulness)(nil).release()
	})
}

func TestWakefulnessToldSlowlyHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := make(chan struct{})
		k := newWakefulness("test", func(int) {}, func(error) { <-told })
		k.acquire = func(context.Context) (releaser, error) { return nil, errors.New("no logind") }
		k.want(true)
		synctest.Wait()
		if !k.mu.TryLock() {
			t.Error("locked while somebody is told")
		} else {
			k.mu.Unlock()
		}
		close(told)
		k.release()
	})
}

// What keeps the machine awake is no process of the run, even where both are below us.
func TestAHelperIsNoLeftover(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), "sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	var r run
	kin := monitor.Kin{Helper: &r.helper}
	found := func() bool {
		all, err := kin.Below()
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(p proc.Process) bool { return p.PID == child.Process.Pid })
	}
	for _, step := range []struct {
		pid  int
		want bool
	}{{0, true}, {child.Process.Pid, false}, {0, true}} {
		if r.keepsAwake(step.pid); found() != step.want {
			t.Errorf("%d keeps it awake: found %v", step.pid, !step.want)
		}
	}
}

func TestWakefulnessRefusedIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := 0
		k := newWakefulness("test", func(int) {}, func(error) { told++ })
		k.acquire = func(context.Context) (releaser, error) { return nil, errors.New("no logind") }
		for range 3 {
			k.want(true)
			synctest.Wait()
		}
		k.release()
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}
