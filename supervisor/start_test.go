package supervisor

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	all, none := [3]bool{true, true, true}, [3]bool{}
	for _, c := range []struct {
		name string
		in   circumstances
		want plan
	}{
		{"no terminal", circumstances{mode: PTYAuto}, plan{}},
		{
			"at a prompt",
			circumstances{mode: PTYAuto, terminal: true, ours: true, isTerminal: all},
			plan{pair: true, onPair: all, front: true},
		},
		{
			"in the background",
			circumstances{mode: PTYAuto, terminal: true, isTerminal: all},
			plan{pair: true, onPair: all},
		},
		{
			"all redirected still has a terminal for /dev/tty",
			circumstances{mode: PTYAuto, terminal: true, ours: true},
			plan{pair: true},
		},
		{
			"started by a script that goes on itself",
			circumstances{mode: PTYAuto, terminal: true, ours: true, isTerminal: [3]bool{false, true, true}, isFile: true, deaf: true},
			plan{pair: true, onPair: [3]bool{false, true, true}},
		},
		{
			"deaf at a prompt",
			circumstances{mode: PTYAuto, terminal: true, ours: true, isTerminal: all, deaf: true},
			plan{pair: true, onPair: all, front: true},
		},
		{
			"into a pager waits to be asked",
			circumstances{mode: PTYAuto, terminal: true, ours: true, isTerminal: [3]bool{true, false, true}, isPipe: [3]bool{false, true, false}},
			plan{pair: true, onPair: [3]bool{true, false, true}, keepOutput: true},
		},
		{
			"never",
			circumstances{mode: PTYNever, terminal: true, ours: true, isTerminal: all},
			plan{direct: true, front: true},
		},
		{
			"without a monitor",
			circumstances{mode: PTYAuto, noMonitor: true, terminal: true, ours: true, isTerminal: all},
			plan{direct: true, front: true},
		},
		{"always, in a service", circumstances{mode: PTYAlways}, plan{pair: true, onPair: all, front: true, toStdout: true}},
		{
			"always, with data on standard input",
			circumstances{mode: PTYAlways, isFile: true},
			plan{pair: true, onPair: [3]bool{false, true, true}, front: true, toStdout: true},
		},
		{
			"always, and no monitor",
			circumstances{mode: PTYAlways, noMonitor: true, terminal: true, ours: true, isTerminal: all},
			plan{direct: true, front: true},
		},
		{
			"always, redirected",
			circumstances{mode: PTYAlways, terminal: true, ours: true, isTerminal: none},
			plan{pair: true, onPair: all, front: true, toStdout: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := decide(c.in); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestEverySignalCaughtHasAPolicy(t *testing.T) {
	t.Parallel()
	want := map[syscall.Signal]signalPolicy{
		unix.SIGTERM: firm, unix.SIGINT: polite, unix.SIGQUIT: polite, unix.SIGHUP: hangUp,
		unix.SIGWINCH: resize, unix.SIGUSR1: passOn, unix.SIGTSTP: passOn, unix.SIGSEGV: passOn,
		unix.SIGPIPE: unread,
	}
	for sig, policy := range want {
		if got := policyOf(sig); got != policy {
			t.Errorf("%s: got %d, want %d", sig, got, policy)
		}
	}
	for _, s := range caught() {
		if s == os.Signal(unix.SIGURG) || s == os.Signal(unix.SIGCHLD) {
			t.Errorf("%s must not be forwarded", s)
		}
	}
}

// A monitor is up before the packages are set up that it does not need.
func TestMonitorIsDispatchedEarly(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inits := func(name string) string {
		cmd := exec.CommandContext(t.Context(), self, "-test.list=^$")
		cmd.Env = []string{"GODEBUG=inittrace=1"}
		if name != "" {
			cmd.Args = []string{name}
		}
		out, _ := cmd.CombinedOutput() // a monitor that is told nothing says so by its exit code
		return string(out)
	}
	const costly = "init modernc.org/sqlite/lib "
	if whole := inits(""); !strings.Contains(whole, costly) {
		t.Errorf("no %s in\n%s", costly, whole)
	}
	if early := inits(monitor.Name); !strings.Contains(early, "init os ") || strings.Contains(early, costly) {
		t.Errorf("got\n%s", early)
	}
}
