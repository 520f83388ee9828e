package ptytest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Send types: it writes to the terminal as a keyboard would. It returns when the terminal has taken all of it, and fails when it
// has not within a minute.
func (t *Terminal) Send(text string) error {
	master, err := t.file()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendLimit)
	defer cancel()
	limit, _ := ctx.Deadline()
	if err := master.SetWriteDeadline(limit); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if n, err := master.WriteString(text); err != nil {
		return fmt.Errorf("send %d bytes, %d taken: %w", len(text), n, err)
	}
	return nil
}

// Resize changes the window's size; the foreground process group is told by SIGWINCH.
func (t *Terminal) Resize(rows, cols uint16) error {
	return t.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
	})
}

// Termios is a snapshot of the terminal's modes; snapshots may be compared with ==.
// The kernel resets them when the session's leader ends: take it while the leader lives.
func (t *Terminal) Termios() (unix.Termios, error) {
	var modes unix.Termios
	err := t.control(func(fd int) error {
		found, err := unix.IoctlGetTermios(fd, getTermios)
		if err == nil {
			modes = *found
		}
		return err
	})
	return modes, err
}

// AwaitTermios waits until the modes satisfy ok and returns them.
func (t *Terminal) AwaitTermios(ok func(unix.Termios) bool, within time.Duration) (unix.Termios, error) {
	var modes unix.Termios
	err := poll(within, func() (bool, error) {
		var err error
		modes, err = t.Termios()
		return ok(modes), err
	})
	if err != nil {
		return modes, fmt.Errorf("await terminal modes: %w", err)
	}
	return modes, nil
}

// IsRaw tells whether the modes hand every key to the program at once, without echo.
func IsRaw(modes unix.Termios) bool { return modes.Lflag&(unix.ICANON|unix.ECHO) == 0 }

// DiffTermios names the parts in which two snapshots differ; it is empty when they are equal.
func DiffTermios(before, after unix.Termios) string {
	var parts []string
	add := func(name string, b, a uint64) {
		if b != a {
			parts = append(parts, fmt.Sprintf("%s %#x became %#x", name, b, a))
		}
	}
	add("input flags", uint64(before.Iflag), uint64(after.Iflag))
	add("output flags", uint64(before.Oflag), uint64(after.Oflag))
	add("control flags", uint64(before.Cflag), uint64(after.Cflag))
	add("local flags", uint64(before.Lflag), uint64(after.Lflag))
	for i := range before.Cc {
		add(fmt.Sprintf("control character %d", i), uint64(before.Cc[i]), uint64(after.Cc[i]))
	}
	add("input speed", uint64(before.Ispeed), uint64(after.Ispeed))
	add("output speed", uint64(before.Ospeed), uint64(after.Ospeed))
	return strings.Join(parts, ", ")
}

// Foreground is the terminal's foreground process group.
func (t *Terminal) Foreground() (int, error) {
	var group int
	err := t.control(func(fd int) error {
		var err error
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	return group, err
}

// control runs an ioctl on the terminal without taking the descriptor from the runtime's poller, as Fd would.
func (t *Terminal) control(ioctl func(fd int) error) error {
	master, err := t.file()
	if err != nil {
		return err
	}
	raw, err := master.SyscallConn()
	if err != nil {
		return fmt.Errorf("control the terminal: %w", err)
	}
	var inner error
	if err = raw.Control(func(fd uintptr) { inner = ioctl(int(fd)) }); err == nil {
		err = inner
	}
	if err != nil {
		return fmt.Errorf("control the terminal: %w", err)
	}
	return nil
}

func (t *Terminal) file() (*os.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.master == nil {
		return nil, ErrHungUp
	}
	return t.master, nil
}
