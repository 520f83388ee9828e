package terminal

import (
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

func TestOnlyWhatIsStillOursIsPutBack(t *testing.T) {
	t.Parallel()
	found := unix.Termios{Iflag: unix.ICRNL, Oflag: unix.OPOST, Lflag: unix.ICANON | unix.ECHO | unix.ISIG, Cflag: unix.CS8}
	set := MakeRaw(found, false)
	if got := merged(set, found, set); got != found {
		t.Errorf("untouched: got %+v, want %+v", got, found)
	}
	shell := set
	shell.Lflag |= unix.ISIG // a line editor took over the input
	got := merged(shell, found, set)
	if got.Lflag != shell.Lflag {
		t.Error("the shell's input settings were changed")
	}
	if got.Oflag != found.Oflag {
		t.Error("raw output was left to the shell")
	}
}

func TestRawKeepsOutputWhenAsked(t *testing.T) {
	t.Parallel()
	found := unix.Termios{Oflag: unix.OPOST | unix.ONLCR, Lflag: unix.ICANON | unix.ECHO}
	if raw := MakeRaw(found, true); raw.Oflag != found.Oflag || raw.Lflag != 0 {
		t.Errorf("got %+v", raw)
	}
	if raw := MakeRaw(found, false); raw.Oflag&unix.OPOST != 0 {
		t.Errorf("got %+v", raw)
	}
}

// Whoever is to give a terminal back for us knows of what is done to it before it is
// done: at no moment may we be killed and leave it raw.
func TestRawIsToldFirst(t *testing.T) {
	t.Parallel()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = master.Close(), slave.Close() }()
	fd := int(slave.Fd())
	found, err := getTermios(fd)
	if err != nil {
		t.Fatal(err)
	}
	tty := &TTY{fd: fd, found: *found}
	told := 0
	err = tty.Raw(false, func() {
		told++
		now, err := getTermios(fd)
		if err != nil || *now != *found || tty.RawState() == nil {
			t.Errorf("told when it was %+v (%v), as %+v", now, err, tty.RawState())
		}
		// What a stand-in would do now harms nothing.
		if err := RestoreIfSet(fd, tty.Found(), *tty.RawState()); err != nil {
			t.Error(err)
		}
	})
	if err != nil || told != 1 {
		t.Fatalf("told %d times, %v", told, err)
	}
	if now, err := getTermios(fd); err != nil || now.Lflag&unix.ICANON != 0 {
		t.Errorf("not raw: %+v, %v", now, err)
	}
	if err := RestoreIfSet(fd, tty.Found(), *tty.RawState()); err != nil {
		t.Error(err)
	}
	if now, err := getTermios(fd); err != nil || *now != *found {
		t.Errorf("got %+v, want %+v (%v)", now, found, err)
	}
}
