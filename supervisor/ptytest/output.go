package ptytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"
)

const (
	readSize = 32 << 10
	// tailShown is how much of the output an error shows.
	tailShown = 600
)

// read collects what the terminal shows until the terminal ends. Linux says so with EIO, macOS with an end of file.
func (t *Terminal) read(master *os.File) {
	defer close(t.readerDone)
	buf := make([]byte, readSize)
	for t.awaitShown() {
		n, err := master.Read(buf)
		t.mu.Lock()
		t.output = append(t.output, buf[:n]...)
		t.notify()
		t.mu.Unlock()
		if n > 0 && t.throttle != nil {
			t.throttle(n)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	t.mu.Lock()
	t.ended = true
	t.notify()
	t.mu.Unlock()
}

// awaitShown blocks while the terminal is paused; it is false when there is nothing left to read.
func (t *Terminal) awaitShown() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.paused && !t.hungUp {
		if !t.parked {
			t.parked = true
			t.notify()
		}
		changed := t.changed
		t.mu.Unlock()
		<-changed
		t.mu.Lock()
	}
	t.parked = false
	return !t.hungUp
}

// notify wakes everyone who waits for a change; the caller holds mu.
func (t *Terminal) notify() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// Pause stops reading: the command can write until the kernel's buffer is full, then blocks. It returns when the reader stands
// still, so that nothing that comes afterwards is read.
func (t *Terminal) Pause() error {
	t.mu.Lock()
	master := t.master
	t.paused = true
	t.mu.Unlock()
	if master == nil {
		return ErrHungUp
	}
	// A deadline in the past ends a read that is already waiting, but not one that is about to begin: hence the wait.
	if err := master.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	if err := t.await(sendLimit, func() bool { return t.parked }); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	return nil
}

// Resume reads on after Pause.
func (t *Terminal) Resume() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.master == nil {
		return ErrHungUp
	}
	err := t.master.SetReadDeadline(time.Time{})
	t.paused = false
	t.notify()
	return err
}

// Output is a copy of everything the terminal has shown.
func (t *Terminal) Output() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.output)
}

// Rest is a copy of what no Expect has consumed yet.
func (t *Terminal) Rest() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.output[t.seen:])
}

// Expect waits until the terminal shows text after what an earlier Expect consumed, and consumes up to its end.
func (t *Terminal) Expect(text string, within time.Duration) error {
	_, err := t.ExpectMatch(regexp.MustCompile(regexp.QuoteMeta(text)), within)
	return err
}

// ExpectMatch is Expect for a regular expression; it returns the match and its groups.
// A pattern that can match longer as more arrives may be matched early: end it with what follows.
func (t *Terminal) ExpectMatch(pattern *regexp.Regexp, within time.Duration) ([]string, error) {
	var found []string
	err := t.await(within, func() bool {
		where := pattern.FindSubmatchIndex(t.output[t.seen:])
		if where == nil {
			return false
		}
		found = groups(t.output[t.seen:], where)
		t.seen += where[1]
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("expect %q: %w; the terminal showed %q", pattern, err, t.tail())
	}
	return found, nil
}

// ExpectEnd waits until the terminal's last holder is gone, so that Output is complete.
func (t *Terminal) ExpectEnd(within time.Duration) error {
	if err := t.await(within, func() bool { return t.ended }); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("expect the end: %w; the terminal showed %q", err, t.tail())
	}
	return nil
}

// await calls ready, with mu held, at every change until it is true, the terminal has ended (io.EOF) or the time is over.
func (t *Terminal) await(within time.Duration, ready func() bool) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		t.mu.Lock()
		ok, ended, changed := ready(), t.ended, t.changed
		t.mu.Unlock()
		switch {
		case ok:
			return nil
		case ended:
			return io.EOF
		}
		select {
		case <-changed:
		case <-timer.C:
			return fmt.Errorf("nothing of it within %v", within)
		}
	}
}

func (t *Terminal) tail() []byte {
	out := t.Output()
	return out[max(0, len(out)-tailShown):]
}

func groups(text []byte, where []int) []string {
	found := make([]string, 0, len(where)/2)
	for i := 0; i < len(where); i += 2 {
		if where[i] < 0 {
			found = append(found, "")
			continue
		}
		found = append(found, string(text[where[i]:where[i+1]]))
	}
	return found
}
