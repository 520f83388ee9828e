package reaper

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// zooArg makes the test binary one of the processes below. It is an argument and
// no variable, so that a process can have an empty environment.
const zooArg = "-reaper-zoo"

// TestMain turns the binary into one of the zoo when asked to.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == zooArg {
		zoo(os.Args[2], os.Args[3:])
		return
	}
	os.Exit(m.Run())
}

// zooLife ends what a failing test left behind.
const zooLife = 60 * time.Second

// zoo is the body of a process. Descriptor 3 takes one line for each that is
// ready.
func zoo(what string, args []string) {
	ready := os.NewFile(3, "ready")
	if strings.Contains(what, "proof") {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	}
	switch {
	case what == "orphan":
		for _, a := range args {
			startZoo(ready, a, os.Environ())
		}
		return
	case strings.Contains(what, "storm"):
		// A child of the same kind every few milliseconds, for a while.
		fmt.Fprintf(ready, "%s %d\n", what, os.Getpid())
		for range 40 {
			startZoo(nil, "proof", os.Environ())
			syscall.Select(0, nil, nil, nil, &syscall.Timeval{Usec: 5000})
		}
	default:
		fmt.Fprintf(ready, "%s %d\n", what, os.Getpid())
	}
	ready.Close()
	<-time.After(zooLife)
}

// startZoo starts a process whose name says what is special about it.
func startZoo(ready *os.File, name string, env []string) {
	cmd := exec.Command(os.Args[0], zooArg, name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: strings.Contains(name, "setsid")}
	cmd.Env = env
	if strings.Contains(name, "bare") {
		cmd.Env = []string{}
	}
	if ready != nil {
		cmd.ExtraFiles = []*os.File{ready}
	}
	if err := cmd.Start(); err != nil && ready != nil {
		fmt.Fprintf(ready, "error %v\n", err)
	}
}

// animal is a process of the zoo.
type animal struct {
	name string
	proc.Process
}

// breed starts processes that have no parent, with the environment given besides
// ours, and returns once all are ready. All of them end with the test.
func breed(t *testing.T, env []string, names ...string) []animal {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(os.Args[0], append([]string{zooArg, "orphan"}, names...)...)
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), env...), []*os.File{w}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var all []animal
	for lines := bufio.NewScanner(r); len(all) < len(names); {
		if !lines.Scan() {
			t.Fatalf("only %d of %d are ready: %v", len(all), len(names), lines.Err())
		}
		name, num, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(num)
		if err != nil {
			t.Fatalf("the zoo says %q", lines.Text())
		}
		p, err := proc.Read(pid)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, animal{name, p})
		t.Cleanup(func() { _ = proc.Signal(p.PID, p.Start, syscall.SIGKILL) })
	}
	return all
}

// alive says whether an animal lives.
func (a animal) alive() bool { return proc.Alive(a.PID, a.Start) }
