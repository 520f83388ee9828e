package proc

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSelf(t *testing.T) {
	t.Parallel()
	p, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	sid, _ := unix.Getsid(0)
	if p.PID != os.Getpid() || p.PPID != os.Getppid() || p.PGID != unix.Getpgrp() || p.SID != sid {
		t.Errorf("Self() = %+v", p)
	}
	if p.Start == 0 || p.Name == "" || p.Dead() || p.Stopped() {
		t.Errorf("Self() = %+v", p)
	}
}

func TestAllHasSelfAndParent(t *testing.T) {
	t.Parallel()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{os.Getpid(), os.Getppid()} {
		if !slices.ContainsFunc(all, func(p Process) bool { return p.PID == pid }) {
			t.Errorf("All() lacks %d", pid)
		}
	}
}

func TestAncestorsBeginWithTheParent(t *testing.T) {
	t.Parallel()
	up := Ancestors(os.Getpid())
	if len(up) == 0 || up[0] != os.Getppid() || slices.Contains(up, os.Getpid()) {
		t.Errorf("Ancestors() = %v, parent is %d", up, os.Getppid())
	}
}

// A child is followed through life, death and burial.
func TestChildLife(t *testing.T) {
	pid, cmd := child(t, "pgrp")
	p, err := Read(pid)
	if err != nil {
		t.Fatal(err)
	}
	if p.PPID != os.Getpid() || p.PGID != pid {
		t.Errorf("Read(child) = %+v", p)
	}
	if kids, err := Children(os.Getpid()); err != nil || !slices.Contains(kids, pid) {
		t.Errorf("Children() = %v, %v", kids, err)
	}
	if ds, err := Descendants(os.Getpid()); err != nil || !slices.ContainsFunc(ds, func(d Process) bool { return d.PID == pid }) {
		t.Errorf("Descendants() = %v, %v", ds, err)
	}
	if !Alive(pid, p.Start) || Alive(pid, p.Start+1) || Alive(pid, 0) {
		t.Error("Alive does not go by the start time")
	}
	if line, err := CommandLine(pid); err != nil || !strings.HasSuffix(line, helperArg+" sit pgrp") {
		t.Errorf("CommandLine() = %q, %v", line, err)
	}

	if err := Signal(pid, p.Start+1, syscall.SIGKILL); !errors.Is(err, ErrGone) {
		t.Errorf("Signal to a stranger = %v", err)
	}
	if err := Signal(pid, p.Start, 0); err != nil {
		t.Errorf("Signal 0 = %v", err)
	}
	if err := Signal(pid, p.Start, syscall.SIGKILL); err != nil {
		t.Errorf("Signal = %v", err)
	}
	eventually(t, "the child is a zombie", func() bool { return !Alive(pid, p.Start) })
	if z, err := Read(pid); err != nil || !z.Dead() {
		t.Errorf("Read(zombie) = %+v, %v", z, err)
	}
	if err := Signal(pid, p.Start, 0); !errors.Is(err, ErrGone) {
		t.Errorf("Signal to a zombie = %v", err)
	}

	_ = cmd.Wait()
	if _, err := Read(pid); !errors.Is(err, ErrGone) {
		t.Errorf("Read(buried) = %v", err)
	}
	if _, err := Children(pid); !errors.Is(err, ErrGone) {
		t.Errorf("Children(buried) = %v", err)
	}
	if _, err := CommandLine(pid); !errors.Is(err, ErrGone) {
		t.Errorf("CommandLine(buried) = %v", err)
	}
	if _, err := Environ(pid); !errors.Is(err, ErrGone) {
		t.Errorf("Environ(buried) = %v", err)
	}
	if err := Signal(pid, p.Start, 0); !errors.Is(err, ErrGone) {
		t.Errorf("Signal to a buried one = %v", err)
	}
}

func TestStoppedState(t *testing.T) {
	pid, _ := child(t, "stopped")
	eventually(t, "the child is stopped", func() bool {
		p, err := Read(pid)
		return err == nil && p.Stopped()
	})
}

func TestSignalRefusesGroups(t *testing.T) {
	t.Parallel()
	for _, pid := range []int{0, -1, -os.Getpid()} {
		if err := Signal(pid, 1, 0); !errors.Is(err, unix.EINVAL) {
			t.Errorf("Signal(%d) = %v", pid, err)
		}
	}
}

func TestEnvironmentOfAnother(t *testing.T) {
	t.Setenv("PROC_TEST_MARK", "a=b\nc")
	pid, _ := child(t, "plain")
	if v, ok, err := LookupEnv(pid, "PROC_TEST_MARK"); err != nil || !ok || v != "a=b\nc" {
		t.Errorf("LookupEnv() = %q, %v, %v", v, ok, err)
	}
	if v, ok, err := LookupEnv(pid, "PROC_TEST"); err != nil || ok {
		t.Errorf("LookupEnv(prefix) = %q, %v, %v", v, ok, err)
	}
	bare, _ := child(t, "bare")
	if env, err := Environ(bare); err != nil || len(env) != 0 {
		t.Errorf("Environ(bare) = %v, %v", env, err)
	}
}

func TestNamespaceAndSubreaper(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "linux" {
		if PIDNamespace() == 0 {
			t.Error("PIDNamespace() = 0")
		}
		return
	}
	if err := BecomeSubreaper(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("BecomeSubreaper() = %v", err)
	}
}
