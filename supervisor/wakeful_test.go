package supervisor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// wakeLock counts how often it is held.
type wakeLock struct{ held *int }

// Release gives it back.
func (l wakeLock) Release() error { *l.held--; return nil }

func TestWakefulness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		held, asked := 0, 0
		k := newWakefulness("test", func(err error) { t.Error(err) })
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
			if held != heldThen {
				t.Errorf("%d held, want %d", held, heldThen)
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
		k = newWakefulness("test", func(err error) { t.Error(err) })
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
		k := newWakefulness("test", func(error) { <-told })
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

func TestWakefulnessRefusedIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := 0
		k := newWakefulness("test", func(error) { told++ })
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
