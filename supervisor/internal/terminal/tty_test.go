package terminal

import (
	"testing"

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
