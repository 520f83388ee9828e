package signals

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleKey tells the test binary to be something else.
const roleKey = "OCR_RUN_TEST_SIGNALS"

func TestMain(m *testing.M) {
	roles := map[string]func() error{"caught": sayCaught, "blocked": sayBlocked, "unread": writeUnread}
	if role, ok := roles[os.Getenv(roleKey)]; ok {
		if err := role(); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// received is what comes next, or nothing in a time that no signal takes.
func received(c <-chan os.Signal) os.Signal {
	select {
	case s := <-c:
		return s
	case <-time.After(10 * time.Second):
		return nil
	}
}

// answered is what comes next on a signal that was sent. A child of an earlier test may
// have been heard of in between.
func answered(c <-chan os.Signal, sent os.Signal) os.Signal {
	s := received(c)
	if s == unix.SIGCHLD && s != sent {
		s = received(c)
	}
	return s
}

// Every signal that is sent comes once, to all who want it, whoever asked for it first and
// how often; what nobody has asked for does not.
func TestCatch(t *testing.T) {
	sigs := []os.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGALRM, unix.SIGTSTP, unix.SIGTTIN, unix.SIGCONT,
		unix.SIGWINCH, unix.SIGCHLD, unix.SIGPIPE, unix.SIGABRT, unix.SIGIO, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGVTALRM,
		unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS,
	}
	sigs = append(sigs, systemSignals()...)
	one, other, none := make(chan os.Signal, 2), make(chan os.Signal, 2), make(chan os.Signal, 1)
	Catch(none, nil) // which is not everything, as it is for os/signal
	for range 2 {
		Catch(one, sigs)
		Catch(other, sigs)
	}
	for _, s := range sigs {
		if err := unix.Kill(unix.Getpid(), number(s)); err != nil {
			t.Fatal(err)
		}
		if a, b := answered(one, s), answered(other, s); a != s || b != s {
			t.Errorf("sent %v, got %v and %v", s, a, b)
		}
	}
	if len(one)+len(other)+len(none) != 0 {
		t.Errorf("%d, %d and %d came that nobody sent", len(one), len(other), len(none))
	}
}

// A fault of our own is still the runtime's to deal with.
func TestFaultIsNoSignal(t *testing.T) {
	c := make(chan os.Signal, 1)
	Take(c, unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE)
	fault := func(f func()) (err error) {
		defer func() { err, _ = recover().(error) }()
		f()
		return nil
	}
	var nowhere *struct{ a [4]int }
	zero := len(c)
	for name, f := range map[string]func(){
		"memory":   func() { nowhere.a[1]++ },
		"division": func() { nowhere = &struct{ a [4]int }{a: [4]int{1 / zero}} },
	} {
		if err := fault(f); err == nil || !strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(c) != 0 {
		t.Errorf("caught %v", <-c)
	}
}

// What is caught here has its default action in a program that is started.
func TestChildrenBeginAtTheDefault(t *testing.T) {
	Take(make(chan os.Signal, 1), unix.SIGUSR2, unix.SIGPIPE)
	for _, sig := range []syscall.Signal{unix.SIGUSR2, unix.SIGPIPE} {
		err := exec.CommandContext(t.Context(), "sh", "-c", fmt.Sprintf("kill -%d $$", sig)).Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != sig { //nolint:forcetypeassert // there is no other kind here
			t.Errorf("%v: got %v", sig, err)
		}
	}
}

// A signal that was ignored when the process was started stays that, but for who takes it;
// one that was blocked is caught all the same.
func TestInheritedSignals(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(roleKey, "caught")
	for script, want := range map[string]string{
		`exec "$0"`:                                  "hangup terminated\n",
		`trap "" HUP; exec "$0"`:                     "terminated\n",
		`trap "" HUP; exec "$0" take`:                "hangup terminated\n",
		`exec env --block-signal=TERM "$0"`:          "hangup terminated\n",
		`exec env --block-signal=HUP,TERM "$0" take`: "hangup terminated\n",
	} {
		if strings.Contains(script, "--block-signal") && exec.CommandContext(t.Context(), "env", "--block-signal=TERM", "true").Run() != nil {
			continue // not an env that can
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", script, self).Output()
		if err != nil || string(out) != want {
			t.Errorf("%s: got %q, %v", script, out, err)
		}
	}
}

// sayCaught catches two signals, sends them to itself, and says which came; the last is
// never ignored.
func sayCaught() error {
	c := make(chan os.Signal, 2)
	if len(os.Args) > 1 {
		Take(c, unix.SIGHUP, unix.SIGTERM)
	} else {
		Catch(c, []os.Signal{unix.SIGHUP, unix.SIGTERM})
	}
	var came []string
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGTERM} {
		if err := unix.Kill(unix.Getpid(), sig); err != nil {
			return err
		}
	}
	for {
		s := received(c)
		if s == nil {
			return fmt.Errorf("only %v came", came)
		}
		came = append(came, s.String())
		if s == unix.SIGTERM {
			fmt.Println(strings.Join(came, " "))
			return nil
		}
	}
}

// One that the runtime leaves blocked is caught, too, on its own thread.
func TestBlockedSignal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if exec.CommandContext(t.Context(), "env", "--block-signal=USR1", "true").Run() != nil {
		t.Skip("not an env that can")
	}
	t.Setenv(roleKey, "blocked")
	if out, err := exec.CommandContext(t.Context(), "env", "--block-signal=USR1", self).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// sayBlocked sends itself a signal that it catches.
func sayBlocked() error {
	c := make(chan os.Signal, 1)
	Catch(c, []os.Signal{unix.SIGUSR1})
	if err := unix.Kill(unix.Getpid(), unix.SIGUSR1); err != nil {
		return err
	}
	if s := received(c); s != unix.SIGUSR1 {
		return fmt.Errorf("got %v", s)
	}
	return nil
}

// A write to a standard output that nobody reads any more fails, and kills nobody who
// catches the signal for that.
func TestUnreadOutput(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env, cmd.Stdout = append(os.Environ(), roleKey+"=unread"), to
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}

// writeUnread writes to a standard output that is gone.
func writeUnread() error {
	c := make(chan os.Signal, 1)
	Catch(c, []os.Signal{unix.SIGPIPE})
	if _, err := os.Stdout.WriteString("anybody?"); !errors.Is(err, unix.EPIPE) {
		os.Exit(4)
	}
	if received(c) != unix.SIGPIPE {
		os.Exit(5)
	}
	return nil
}

// What was caught and is ignored since is not caught again by who leaves the ignored alone.
func TestIgnoredSince(t *testing.T) {
	c := make(chan os.Signal, 1)
	Take(c, unix.SIGUSR1)
	signal.Ignore(unix.SIGUSR1)
	Catch(c, []os.Signal{unix.SIGUSR1})
	if err := unix.Kill(unix.Getpid(), unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "kill -USR1 $$; echo ignored").Output()
	if err != nil || string(out) != "ignored\n" {
		t.Errorf("got %q, %v", out, err)
	}
	Take(c, unix.SIGUSR1)
	if len(c) != 0 {
		t.Errorf("caught %v", <-c)
	}
}
