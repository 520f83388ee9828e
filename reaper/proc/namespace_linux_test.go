package proc

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// contained starts a process that is the first one of a pid namespace of its own, and
// says which.
func contained(t *testing.T) (p Process, namespace uint64) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("no pid namespace is to be had here: %v", err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	var st unix.Stat_t
	if err := unix.Stat(procPath(cmd.Process.Pid, "ns/pid"), &st); err != nil {
		t.Skipf("its pid namespace is not told: %v", err)
	}
	p, err := Read(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return p, st.Ino
}

// A process of another namespace is found by the numbers it has there, and nobody
// else is taken for it: every namespace has a process 1.
func TestLocate(t *testing.T) {
	t.Parallel()
	p, namespace := contained(t)
	here, _ := Locate(namespace, Process{PID: 2, Start: p.Start}, Process{PID: 1, Start: p.Start})
	if !slices.Equal(here, []int{0, p.PID}) {
		t.Errorf("found %d, want %d", here, p.PID)
	}
	for name, c := range map[string]struct {
		namespace uint64
		pid       int
		start     uint64
	}{
		"another namespace": {namespace + 1, 1, p.Start},
		"another pid":       {namespace, 2, p.Start},
		"its pid out here":  {namespace, p.PID, p.Start},
		"another start":     {namespace, 1, p.Start + 1},
		"no start":          {namespace, 1, 0},
	} {
		here, certain := Locate(c.namespace, Process{PID: c.pid, Start: c.start})
		if here[0] != 0 || certain != (PIDNamespace() == firstNamespace) {
			t.Errorf("%s: found %d, certain %v", name, here, certain)
		}
	}
}

func TestPidsIn(t *testing.T) {
	t.Parallel()
	for status, want := range map[string][]int{
		"Name:\tNSpid:\nTgid:\t7\nNSpid:\t4711\t12\t1\nNSpgid:\t9\n": {4711, 12, 1},
		"Name:\tx\nNSpid:\t4711\n":                                   {4711},
		"Name:\tx\n":                                                 nil,
		"":                                                           nil,
	} {
		if got := pidsIn([]byte(status)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", status, got, want)
		}
	}
}
