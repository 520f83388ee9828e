package ptytest_test

import (
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// soon bounds what takes milliseconds on an idle machine.
const soon = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shell runs a script on a terminal that the test closes.
func shell(t *testing.T, script string, change ...func(*ptytest.Config)) *ptytest.Terminal {
	t.Helper()
	config := ptytest.Config{Argv: []string{"/bin/sh", "-c", script}}
	for _, f := range change {
		f(&config)
	}
	terminal, err := ptytest.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
	})
	return terminal
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommandHasTheTerminal(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `test -t 0 && test -t 1 && test -t 2 && stty size </dev/tty; exit 7`,
		func(c *ptytest.Config) { c.Rows, c.Cols = 31, 97 })
	check(t, terminal.Expect("31 97\r\n", soon))
	status, err := terminal.Wait(soon)
	check(t, err)
	if status.ExitStatus() != 7 {
		t.Errorf("ended with %#x, want exit 7", status)
	}
	check(t, terminal.ExpectEnd(soon))
}

func TestExpectConsumes(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `echo one two one; read line; echo "got <$line>"`)
	check(t, terminal.Expect("one", soon))
	check(t, terminal.Expect("two", soon))
	check(t, terminal.Expect("one", soon))
	if err := terminal.Expect("one", time.Millisecond); err == nil {
		t.Error("a third one was found")
	}
	check(t, terminal.Send("hello\n"))
	found, err := terminal.ExpectMatch(regexp.MustCompile(`got <(\w+)>`), soon)
	check(t, err)
	if found[1] != "hello" {
		t.Errorf("matched %q", found)
	}
	check(t, terminal.ExpectEnd(soon))
	if err := terminal.Expect("never", soon); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("expecting on an ended terminal: %v, want an end of file at once", err)
	}
}

func TestResizeTellsTheCommand(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `trap 'stty size; exit' WINCH; echo ready; while :; do read x; done`)
	check(t, terminal.Expect("ready", soon))
	check(t, terminal.Resize(50, 132))
	check(t, terminal.Send("\n"))
	check(t, terminal.Expect("50 132", soon))
}

func TestTermiosSeesRawMode(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `echo ready; read x; stty raw -echo; echo israw; cat >/dev/null`)
	check(t, terminal.Expect("ready", soon))
	before, err := terminal.Termios()
	check(t, err)
	if ptytest.IsRaw(before) {
		t.Error("a fresh terminal is raw")
	}
	check(t, terminal.Send("\n"))
	after, err := terminal.AwaitTermios(ptytest.IsRaw, soon)
	check(t, err)
	if before == after || !strings.Contains(ptytest.DiffTermios(before, after), "local flags") {
		t.Errorf("difference: %q", ptytest.DiffTermios(before, after))
	}
	if got := ptytest.DiffTermios(before, before); got != "" {
		t.Errorf("difference of equals: %q", got)
	}
	if _, err := terminal.AwaitTermios(func(m unix.Termios) bool { return m == before }, time.Millisecond); err == nil {
		t.Error("awaited modes that never come")
	}
}

func TestPauseBlocksTheWriter(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `yes | head -c 1000000; echo finished`, func(c *ptytest.Config) { c.Paused = true })
	if _, err := terminal.Wait(300 * time.Millisecond); err == nil {
		t.Error("a million bytes fitted into a terminal nobody reads")
	}
	if n := len(terminal.Output()); n != 0 {
		t.Errorf("%d bytes were read while paused", n)
	}
	check(t, terminal.Resume())
	check(t, terminal.Expect("finished", soon))
	if n := strings.Count(string(terminal.Output()), "y\r\n"); n != 500000 {
		t.Errorf("%d lines arrived, want 500000", n)
	}
}

func TestPauseInTheMiddle(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `echo first; read x; echo second; read x`)
	check(t, terminal.Expect("first", soon))
	check(t, terminal.Pause())
	check(t, terminal.Send("\n"))
	if err := terminal.Expect("second", 50*time.Millisecond); err == nil {
		t.Error("a paused terminal was read")
	}
	check(t, terminal.Resume())
	check(t, terminal.Expect("second", soon))
}

func TestThrottleSeesEveryByte(t *testing.T) {
	t.Parallel()
	const size = 100000
	all := make(chan struct{})
	sum := 0
	// The leader stays: its end would throw away what the terminal has not read yet.
	terminal := shell(t, `head -c 100000 /dev/zero; read x`, func(c *ptytest.Config) {
		c.Throttle = func(n int) {
			if sum += n; sum == size {
				close(all)
			}
		}
	})
	select {
	case <-all:
	case <-t.Context().Done():
	}
	if got := len(terminal.Output()); got != size {
		t.Errorf("%d bytes were kept, want %d", got, size)
	}
}

func TestForegroundIsTheCommand(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `echo "pid $$"; read x`)
	found, err := terminal.ExpectMatch(regexp.MustCompile(`pid (\d+)\r`), soon)
	check(t, err)
	group, err := terminal.Foreground()
	check(t, err)
	if strconv.Itoa(group) != found[1] || terminal.Pid() != group {
		t.Errorf("foreground group %d, command %s, Pid %d", group, found[1], terminal.Pid())
	}
}

func TestSignalIsSeenInTheStatus(t *testing.T) {
	t.Parallel()
	terminal := shell(t, `echo ready; read x`)
	check(t, terminal.Expect("ready", soon))
	check(t, terminal.Signal(syscall.SIGTERM))
	status, err := terminal.Wait(soon)
	check(t, err)
	if !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %#x, want SIGTERM", status)
	}
}
