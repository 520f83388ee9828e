package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// tracerRole makes this program one that holds a traced process.
const tracerRole = "-hold-traced"

// trace starts a process, leaves it in the stop of a traced one, and waits.
func trace(tag string) {
	cmd := exec.Command("sleep", "3600", tag)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		os.Exit(1)
	}
	<-time.After(time.Hour)
}

// unified is where the unified hierarchy of control groups is mounted.
func unified() string {
	for _, root := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err == nil {
			return root
		}
	}
	return ""
}

// canGroup says whether the runs can have control groups of their own here.
func canGroup() bool {
	g, err := proc.MakeGroup(fmt.Sprintf("drill-%d", os.Getpid()), false)
	return err == nil && g.Remove() == nil
}

// makeGroup makes a group below ours and leaves it to the unprivileged user if he is
// to divide it.
func makeGroup(name string, unprivileged bool) (string, error) {
	own, err := proc.Cgroup(os.Getpid())
	if err != nil {
		return "", err
	}
	dir := filepath.Join(unified(), own, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	if !unprivileged || os.Getuid() != 0 {
		return dir, nil
	}
	for _, f := range []string{"", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"} {
		err = errors.Join(err, os.Chown(filepath.Join(dir, f), nobody, nobody))
	}
	return dir, err
}

// enter has a process be born in a group; done is to be called when it was started.
func enter(attr *syscall.SysProcAttr, dir string) (done func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	attr.UseCgroupFD, attr.CgroupFD = true, fd
	return func() { _ = unix.Close(fd) }, err
}

// subgroups counts the groups below one.
func subgroups(dir string) (n int) {
	if dir == "" {
		return 0
	}
	_ = filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && at != dir {
			n++
		}
		return nil
	})
	return n
}

// removeGroup removes a group with the empty ones below it.
func removeGroup(dir string) {
	if dir == "" {
		return
	}
	var dirs []string
	_ = filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, at)
		}
		return nil
	})
	for _, at := range slices.Backward(dirs) {
		_ = os.Remove(at)
	}
}

// recycle starts the last bystanders, if so wanted as many as can be with pids
// that the ledger remembers of others: that is set for the whole machine.
func (st *stage) recycle(ctx context.Context, n int) error {
	for range n {
		var want int
		if st.scenario.recycle && len(st.ids) > 0 && os.Getuid() == 0 {
			want, st.ids = st.ids[0], st.ids[1:]
			// The next process gets the number after this one, if it is free.
			_ = os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(want-1)), 0)
		}
		p, err := st.begin(ctx, nil, "", "sleep", "3600", st.looker(len(st.looks)))
		if err != nil {
			return err
		}
		if p.pid == want {
			st.recycled++
		}
		st.looks = append(st.looks, p)
	}
	return nil
}
