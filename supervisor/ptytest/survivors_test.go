package ptytest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

func TestHangupEndsTheSession(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `echo ready; read x`)
	check(t, terminal.Expect("ready", soon))
	check(t, terminal.Hangup())
	check(t, terminal.AwaitGone(soon))
	check(t, terminal.Hangup())
	if err := terminal.Send("x"); !errors.Is(err, ptytest.ErrHungUp) {
		t.Errorf("send after the hangup: %v", err)
	}
	if _, err := terminal.Termios(); !errors.Is(err, ptytest.ErrHungUp) {
		t.Errorf("modes after the hangup: %v", err)
	}
	if err := terminal.Resume(); !errors.Is(err, ptytest.ErrHungUp) {
		t.Errorf("resume after the hangup: %v", err)
	}
	if string(terminal.Output()) != "ready\r\n" {
		t.Errorf("output is lost: %q", terminal.Output())
	}
}

// stubborn leaves three processes that neither the end of their parent nor SIGHUP and SIGTERM end: one marked in a session of its
// own, one without the marker on the terminal, and one stopped.
const stubborn = `trap '' HUP TERM
perl -MPOSIX -e 'setsid; exec @ARGV' sleep 1000 </dev/null >/dev/null 2>&1 &
env -i sleep 1000 &
sh -c 'kill -STOP $$' &
echo ready; read x`

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	terminal := shell(t, stubborn)
	check(t, terminal.Expect("ready", soon))
	check(t, terminal.Send("\n"))
	_, err := terminal.Wait(soon)
	check(t, err)
	if err = terminal.AwaitGone(10 * time.Millisecond); err == nil {
		t.Fatal("the stubborn three were not seen")
	}
	check(t, terminal.Close())
	left, err := terminal.Survivors()
	check(t, err)
	if len(left) != 0 {
		t.Errorf("survived: %v", left)
	}
	check(t, terminal.Close())
}

func TestMarkedIsByValue(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `(echo ready; read y) </dev/tty & wait`,
		func(c *ptytest.Config) { c.Marker = "marked-is-by-value" })
	check(t, terminal.Expect("ready", soon))
	found, err := ptytest.Marked("marked-is-by-value")
	check(t, err)
	if len(found) != 2 {
		t.Errorf("found %v, want two shells", found)
	}
	found, err = ptytest.Marked("marked-is-by")
	check(t, err)
	if len(found) != 0 {
		t.Errorf("found %v by a part of the marker", found)
	}
}

func TestCloseOfAPausedTerminal(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `yes`, func(c *ptytest.Config) { c.Paused = true })
	check(t, terminal.Close())
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	if _, err := ptytest.Start(ptytest.Config{}); err == nil {
		t.Error("started nothing")
	}
	if _, err := ptytest.Start(ptytest.Config{Argv: []string{"/no/such/command"}}); err == nil {
		t.Error("started what does not exist")
	}
}
