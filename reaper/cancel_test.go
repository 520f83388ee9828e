package reaper

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// wrapped writes the row of a run whose wrapper is an animal, its lease held.
func (s *sweepTest) wrapped(wrapper animal) {
	s.t.Helper()
	f, err := runfile.Create(s.dir, s.uid)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = f.Release(true) })
	at := here(s.t)
	announce(s.t, s.Ledger, s.dir, s.uid, identity(at, wrapper.PID, wrapper.Start), noOne(at), at)
}

// eventually waits for something another process brings about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		syscall.Select(0, nil, nil, nil, &syscall.Timeval{Usec: 1000})
	}
}

// A wrapper that lives is told at once, and once only; a suspended one is set
// going.
func TestCancelTellsTheWrapper(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"running", "stopped"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSweep(t)
			wrapper := breed(t, nil, name)[0]
			if name == "stopped" {
				if err := proc.Signal(wrapper.PID, wrapper.Start, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				eventually(t, "it is stopped", func() bool { p, _ := proc.Read(wrapper.PID); return p.Stopped() })
			}
			s.wrapped(wrapper)
			got, err := Cancel(t.Context(), s.Config, s.uid)
			if err != nil || got.State != CancelAccepted || !got.Woken || got.Asked {
				t.Fatalf("%+v, %v", got, err)
			}
			eventually(t, "TERM arrives", func() bool { return !wrapper.alive() })
			e, err := s.Ledger.Execution(t.Context(), s.uid)
			if err != nil || e.StopRequested != lifecycle.StoppedByUser || e.Process.End.Over() {
				t.Errorf("%+v, %v", e.Process, err)
			}
			if got, err := Cancel(t.Context(), s.Config, s.uid); err != nil || !got.Asked || got.Woken || got.State != CancelAccepted {
				t.Errorf("the second time: %+v, %v", got, err)
			}
		})
	}
}

// A run whose wrapper is dead is settled and tidied up after, and so is one that
// had ended.
func TestCancelOfDeadWrapper(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	left := breed(t, s.marker(), "setsid", "setsid-bare-proof")
	s.row(left...)
	got, err := Cancel(t.Context(), s.Config, s.uid)
	if err != nil || got.State != CancelSettled || len(got.Processes) != 2 || left[0].alive() || left[1].alive() {
		t.Fatalf("%+v, %v", got, err)
	}
	e, err := s.Ledger.Execution(t.Context(), s.uid)
	if err != nil || e.Process.End != lifecycle.EndLost || e.StopRequested != lifecycle.StoppedByUser || len(e.Leftovers.Stopped) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	if got, err := Cancel(t.Context(), s.Config, s.uid); err != nil || got.State != CancelTerminal || len(got.Processes) != 0 {
		t.Errorf("the second time: %+v, %v", got, err)
	}
	if _, err := Cancel(t.Context(), s.Config, "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown run: %v", err)
	}
}

// A cancel and a sweep of one ledger do not stop at the same time: each would let go
// what the other one has halted. The cancel waits for the sweep under way, and is one
// itself while it stops.
func TestCancelAndSweepInTurn(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	left := breed(t, s.marker(), "setsid-proof")[0] // so that the stop has to wait for it
	s.row(left)
	unlock, err := Lock(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	waits, swept := 0, false
	s.wait = func(ctx context.Context, d time.Duration) error {
		waits++
		switch {
		case waits <= 3 && !left.alive():
			t.Error("the cancel has stopped something beside the sweep")
		case waits == 3:
			swept = true
			return unlock()
		case waits > 3 && swept:
			if _, err := Lock(s.dir); !errors.Is(err, ErrHeld) || !underWay(s.dir) {
				t.Errorf("a sweep may begin beside the cancel: %v", err)
			}
			swept = false
			return clock.Wait(ctx, d) // between the two looks
		}
		return nil
	}
	got, err := Cancel(t.Context(), s.Config, s.uid)
	if err != nil || waits < 4 || left.alive() || len(got.Processes) != 1 || !got.Processes[0].Done {
		t.Errorf("%+v, %v, after %d waits", got, err, waits)
	}
	unlock, err = Lock(s.dir)
	if err != nil {
		t.Fatalf("the cancel holds on to the lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// A sweep that does not end is waited for no longer than it may take, and named.
func TestCancelBesideEndlessSweep(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	left := breed(t, s.marker(), "setsid")[0]
	s.row(left)
	unlock, err := Lock(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	told, waited := 0, time.Duration(0)
	s.Waits = func(held *HeldError) {
		if told++; held.PID != os.Getpid() {
			t.Errorf("waits for %v", held)
		}
	}
	s.wait = func(_ context.Context, d time.Duration) error { waited += d; return nil }
	got, err := Cancel(t.Context(), s.Config, s.uid)
	if !errors.Is(err, ErrHeld) || errors.Is(err, context.DeadlineExceeded) || got.State != CancelSettled || !left.alive() {
		t.Errorf("%+v, %v", got, err)
	}
	if told != 1 || waited != sweepPatience {
		t.Errorf("told %d times, waited %s", told, waited)
	}
	s.Patience, waited = 600*time.Millisecond, 0
	if _, err := Cancel(t.Context(), s.Config, s.uid); !errors.Is(err, ErrHeld) || !errors.Is(err, context.DeadlineExceeded) || waited != s.Patience {
		t.Errorf("without patience: waited %s, %v", waited, err)
	}
}

// Waiting ends with the run, with the death of its wrapper, and with patience.
func TestAwait(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	wrapper := breed(t, nil, "running")[0]
	at := here(t)
	announce(t, s.Ledger, s.dir, s.uid, identity(at, wrapper.PID, wrapper.Start), noOne(at), at)
	looks := 0
	s.wait = func(ctx context.Context, _ time.Duration) error {
		if looks++; looks == 3 {
			_ = proc.Signal(wrapper.PID, wrapper.Start, syscall.SIGKILL)
			eventually(t, "it is dead", func() bool { return !wrapper.alive() })
		}
		return context.Cause(ctx)
	}
	if err := Await(t.Context(), s.Config, s.uid); err != nil || looks != 3 {
		t.Errorf("%d looks, %v", looks, err)
	}
	s.uid = "late"
	s.wrapped(breed(t, nil, "running")[0])
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("out of patience"))
	if err := Await(ctx, s.Config, s.uid); err == nil {
		t.Error("it did not end, and that was no error")
	}
}
