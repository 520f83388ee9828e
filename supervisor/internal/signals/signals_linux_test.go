package signals

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// systemSignals are those only this system has, but for the first two real-time ones,
// which the C library keeps to itself.
func systemSignals() []os.Signal {
	all := []os.Signal{unix.SIGPWR, unix.SIGSTKFLT}
	for s := syscall.Signal(35); s < signalsEnd; s++ {
		all = append(all, s)
	}
	return all
}

// Whoever sends a signal is known by his pid, and the kernel is nobody.
func TestSender(t *testing.T) {
	c := make(chan os.Signal, 1)
	Take(c, unix.SIGALRM)
	told := exec.CommandContext(t.Context(), "sh", "-c", "echo $$; kill -ALRM "+strconv.Itoa(os.Getpid()))
	out, err := told.Output()
	if err != nil {
		t.Fatal(err)
	}
	if s, want := answered(c, unix.SIGALRM), strings.TrimSpace(string(out)); s != unix.SIGALRM || strconv.Itoa(Sender(s)) != want {
		t.Errorf("%v came from %d, want %s", s, Sender(s), want)
	}
	if err := unix.Kill(unix.Getpid(), unix.SIGALRM); err != nil {
		t.Fatal(err)
	}
	if s := answered(c, unix.SIGALRM); s != unix.SIGALRM || Sender(s) != unix.Getpid() {
		t.Errorf("%v came from %d, want %d", s, Sender(s), unix.Getpid())
	}
	once := unix.Itimerval{Value: unix.Timeval{Usec: 1}}
	if _, err := unix.Setitimer(unix.ITIMER_REAL, once); err != nil {
		t.Fatal(err)
	}
	if s := answered(c, unix.SIGALRM); s != unix.SIGALRM || Sender(s) != 0 {
		t.Errorf("%v came from %d, want nobody", s, Sender(s))
	}
	for _, s := range []os.Signal{syscall.Signal(0), syscall.Signal(-1), syscall.Signal(signalsEnd), os.Kill} {
		if from := Sender(s); from != 0 {
			t.Errorf("%v came from %d", s, from)
		}
	}
}
