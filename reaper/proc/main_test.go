package proc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helperArg makes the test binary one of the processes below. It is an argument
// and no variable, so that a helper can have an empty environment.
const helperArg = "-proc-helper"

// TestMain turns the binary into a helper when asked to.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == helperArg {
		helper(os.Args[2], os.Args[3:])
		return
	}
	os.Exit(m.Run())
}

// helperLife ends a helper that a failing test left behind.
const helperLife = 60 * time.Second

// helper is the body of a helper process. Descriptor 3 takes one line per
// helper that is ready.
func helper(what string, args []string) {
	ready := os.NewFile(3, "ready")
	switch what {
	case "sit":
		sit(ready, args)
	case "orphan":
		// Start each of the sitters and leave them without a parent.
		for _, a := range args {
			start(ready, a)
		}
	}
}

// sit reports and waits for a signal; "proof" ignores the polite ones.
func sit(ready *os.File, args []string) {
	if strings.Contains(args[0], "proof") {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	}
	fmt.Fprintf(ready, "%s %d\n", args[0], os.Getpid())
	ready.Close()
	if strings.Contains(args[0], "stopped") {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	if strings.Contains(args[0], "headless") {
		endFirstThread()
	}
	<-time.After(helperLife)
}

// endFirstThread ends the process's first thread while the process goes on. It
// occupies threads until it has got hold of that one.
func endFirstThread() {
	for range 64 {
		go func() {
			runtime.LockOSThread()
			if tid, _, _ := syscall.Syscall(syscall.SYS_GETTID, 0, 0, 0); int(tid) == os.Getpid() {
				_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
			}
			select {}
		}()
	}
}

// start starts a sitter whose name says what is special about it.
func start(ready *os.File, name string) {
	cmd := sitter(name)
	cmd.ExtraFiles = []*os.File{ready}
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(ready, "error %v\n", err)
	}
}

func sitter(name string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], helperArg, "sit", name)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:  strings.Contains(name, "setsid"),
		Setpgid: strings.Contains(name, "pgrp"),
	}
	if strings.Contains(name, "bare") {
		cmd.Env = []string{}
	}
	return cmd
}

// spawn starts a helper and returns once n of its processes are ready, with
// their pids by name.
func spawn(t *testing.T, n int, cmd *exec.Cmd) map[string]int {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	pids := map[string]int{}
	for lines := bufio.NewScanner(r); len(pids) < n; {
		if !lines.Scan() {
			t.Fatalf("only %d of %d helpers are ready: %v", len(pids), n, lines.Err())
		}
		name, num, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(num)
		if err != nil {
			t.Fatalf("helper says %q", lines.Text())
		}
		pids[name] = pid
	}
	return pids
}

// child starts one sitter that is a direct child and ends with the test.
func child(t *testing.T, name string) (pid int, cmd *exec.Cmd) {
	t.Helper()
	cmd = sitter(name)
	pid = spawn(t, 1, cmd)[name]
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return pid, cmd
}

// eventually waits for a condition that another process brings about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		syscall.Select(0, nil, nil, nil, &syscall.Timeval{Usec: 1000})
	}
}
