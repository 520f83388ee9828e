package terminal

import (
	"bytes"
	"fmt"
	"reflect"

	"golang.org/x/sys/unix"
)

// TTY is the user's own terminal, opened anew so that its file status flags are
// ours alone: setting O_NONBLOCK on an inherited descriptor would change it for
// the shell as well.
type TTY struct {
	fd    int
	found unix.Termios
	set   *unix.Termios
}

// OpenTTY opens the controlling terminal of this process. It fails where there
// is none (a service, cron, a container without a terminal).
func OpenTTY() (*TTY, error) {
	fd, err := retryEINTR(func() (int, error) {
		return unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, fmt.Errorf("open controlling terminal: %w", err)
	}
	t := &TTY{fd: fd}
	found, err := getTermios(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("read terminal settings: %w", err)
	}
	t.found = *found
	return t, nil
}

// FD is the descriptor, owned by the TTY.
func (t *TTY) FD() int { return t.fd }

// Found is the state the terminal was in when it was opened or last rebased.
func (t *TTY) Found() unix.Termios { return t.found }

// Close releases the descriptor. It restores nothing.
func (t *TTY) Close() error { return unix.Close(t.fd) }

// Foreground says whether this process's group owns the terminal's input.
func (t *TTY) Foreground() bool {
	pgrp, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}

// Gone says whether the terminal was closed or taken away.
func (t *TTY) Gone() bool {
	_, err := getTermios(t.fd)
	return err != nil
}

// Rebase takes the terminal's present state as the one to give back: a shell
// may have changed it while the run was suspended.
func (t *TTY) Rebase() error {
	found, err := getTermios(t.fd)
	if err != nil {
		return fmt.Errorf("read terminal settings: %w", err)
	}
	t.found = *found
	return nil
}

// Raw hands every byte through untouched. keepOutput leaves output processing
// on, for a terminal that another program of the pipeline writes to as well. first
// is called before anything is done, with RawState as it is going to be: whoever is
// to undo it in our stead must know by then.
func (t *TTY) Raw(keepOutput bool, first func()) error {
	raw := MakeRaw(t.found, keepOutput)
	t.set = &raw
	first()
	if err := setTermios(t.fd, &raw); err != nil {
		t.set = nil
		return fmt.Errorf("set terminal raw: %w", err)
	}
	return nil
}

// EndsLines says whether the terminal puts a carriage return before each line
// feed at present.
func (t *TTY) EndsLines() bool {
	now, err := getTermios(t.fd)
	return err == nil && now.Oflag&(unix.OPOST|unix.ONLCR) == unix.OPOST|unix.ONLCR
}

// RawState is what Raw last set or is about to, nil when the terminal is as it was found.
func (t *TTY) RawState() *unix.Termios { return t.set }

// IsRaw says whether the terminal is as Raw last set it.
func (t *TTY) IsRaw() bool {
	now, err := getTermios(t.fd)
	return err == nil && t.set != nil && sameTermios(*now, *t.set)
}

// Forget leaves the terminal to whoever has it now: there is nothing to restore.
func (t *TTY) Forget() { t.set = nil }

// Restore gives the terminal back as it was found, unless somebody else has
// changed it since. Doing so twice is harmless.
func (t *TTY) Restore() error {
	if t.set == nil {
		return nil
	}
	err := RestoreIfSet(t.fd, t.found, *t.set)
	t.set = nil
	return err
}

// RestoreIfSet puts the terminal fd back to found, group of settings by group,
// wherever it still is in the state set: what somebody else has changed since is
// theirs, but a shell that only took over input must not inherit raw output. It
// works from any session: only a member of the terminal's own session is
// stopped for touching it from the background.
func RestoreIfSet(fd int, found, set unix.Termios) error {
	now, err := getTermios(fd)
	if err != nil {
		return fmt.Errorf("read terminal settings: %w", err)
	}
	want := merged(*now, found, set)
	if sameTermios(*now, want) {
		return nil
	}
	if err := setTermios(fd, &want); err != nil {
		return fmt.Errorf("restore terminal settings: %w", err)
	}
	return nil
}

// merged is now, with each group that is still as set put back to found. Input
// modes and control characters only mean something together.
func merged(now, found, set unix.Termios) unix.Termios {
	if now.Iflag == set.Iflag && now.Lflag == set.Lflag && now.Cc == set.Cc {
		now.Iflag, now.Lflag, now.Cc = found.Iflag, found.Lflag, found.Cc
	}
	if now.Oflag == set.Oflag {
		now.Oflag = found.Oflag
	}
	if now.Cflag == set.Cflag {
		now.Cflag = found.Cflag
	}
	return now
}

// MakeRaw is found with all input and output processing off, as cfmakeraw does.
func MakeRaw(found unix.Termios, keepOutput bool) unix.Termios {
	raw := found
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	if !keepOutput {
		raw.Oflag &^= unix.OPOST
	}
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag &^= unix.CSIZE | unix.PARENB
	raw.Cflag |= unix.CS8
	raw.Cc[unix.VMIN] = 1
	raw.Cc[unix.VTIME] = 0
	return raw
}

// sameTermios compares what we set with what the kernel says; drivers may fill
// the speed fields in their own way, so those are left out.
func sameTermios(a, b unix.Termios) bool {
	a.Ispeed, b.Ispeed = 0, 0
	a.Ospeed, b.Ospeed = 0, 0
	return reflect.DeepEqual(a, b)
}

// IsControlling says whether fd is this process's controlling terminal. The
// kernel answers TIOCGPGRP only for that one.
func IsControlling(fd int) bool {
	_, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil
}

// CopySize gives the terminal dst the size of src and reports whether it
// changed. The kernel tells dst's foreground group with SIGWINCH.
func CopySize(dst, src int) (changed bool, err error) {
	want, err := unix.IoctlGetWinsize(src, unix.TIOCGWINSZ)
	if err != nil {
		return false, fmt.Errorf("read terminal size: %w", err)
	}
	if now, err := unix.IoctlGetWinsize(dst, unix.TIOCGWINSZ); err == nil && *now == *want {
		return false, nil
	}
	if err := unix.IoctlSetWinsize(dst, unix.TIOCSWINSZ, want); err != nil {
		return false, fmt.Errorf("set terminal size: %w", err)
	}
	return true, nil
}

// SetForeground makes the process group pgrp the one that reads from the
// terminal fd. A caller outside the foreground must ignore SIGTTOU.
func SetForeground(fd, pgrp int) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, pgrp); err != nil {
		return fmt.Errorf("make group %d the foreground of the terminal: %w", pgrp, err)
	}
	return nil
}

// retryEINTR repeats a system call that a signal interrupted.
func retryEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// EditsLines says whether a terminal edits lines by itself, which a program that draws
// on the whole of it switches off.
func EditsLines(fd int) bool {
	now, err := getTermios(fd)
	return err == nil && now.Lflag&unix.ICANON != 0
}

// Interrupts says whether typing b at the terminal whose master is fd sends a
// signal: it holds the interrupt or quit character, and the terminal acts on
// them at present.
func Interrupts(fd int, b []byte) bool {
	now, err := getTermios(fd)
	if err != nil || now.Lflag&unix.ISIG == 0 {
		return false
	}
	return bytes.IndexByte(b, now.Cc[unix.VINTR]) >= 0 || bytes.IndexByte(b, now.Cc[unix.VQUIT]) >= 0
}
