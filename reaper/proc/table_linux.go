package proc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// All lists every process visible to the caller, in no order. Processes that
// end while it reads are left out.
func All() ([]Process, error) {
	pids, err := numbersIn("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	all := make([]Process, 0, len(pids))
	for _, pid := range pids {
		if p, err := Read(pid); err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// Children lists the pids of a process's children, zombies included. It
// returns ErrGone when the parent is not there.
func Children(pid int) ([]int, error) {
	p, err := Read(pid)
	if err != nil {
		return nil, err
	}
	return childrenOf(p)
}

// childrenOf lists the children of each of the process's threads: the kernel
// keeps them by the thread that made them.
func childrenOf(p Process) ([]int, error) {
	tasks := []int{p.PID}
	if p.threads != 1 {
		var err error
		if tasks, err = numbersIn(procPath(p.PID, "task")); err != nil {
			return nil, fmt.Errorf("list children of %d: %w", p.PID, err)
		}
	}
	var children []int
	missing := 0
	for _, tid := range tasks {
		b, err := readAll(procPath(p.PID, "task/"+strconv.Itoa(tid)+"/children"))
		switch {
		case errors.Is(err, ErrGone):
			missing++ // the thread has ended, or the kernel keeps no such file
		case err != nil:
			return nil, fmt.Errorf("list children of %d: %w", p.PID, err)
		}
		for f := range bytes.FieldsSeq(b) {
			if n, err := strconv.Atoi(string(f)); err == nil {
				children = append(children, n)
			}
		}
	}
	if missing == len(tasks) {
		return scanChildren(p.PID)
	}
	return children, nil
}

// scanChildren finds children in the whole table, for a kernel without the
// files that list them.
func scanChildren(pid int) ([]int, error) {
	if _, err := Read(pid); err != nil {
		return nil, err
	}
	all, err := All()
	var children []int
	for _, p := range all {
		if p.PPID == pid {
			children = append(children, p.PID)
		}
	}
	return children, err
}

// walkLimit is how many descendants a walk may find before one look at the
// whole table is cheaper: asking a process for its children costs several
// times as much as reading its line.
const walkLimit = 128

// descend walks down from root, level by level.
func descend(root int) ([]Process, error) {
	queue, err := Children(root)
	if err != nil {
		return nil, err
	}
	var found []Process
	for seen := map[int]bool{root: true}; len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		if seen[pid] {
			continue
		}
		if len(found) == walkLimit {
			all, err := All()
			return below(all, root), err
		}
		seen[pid] = true
		p, err := Read(pid)
		if err != nil {
			continue // it has ended since
		}
		found = append(found, p)
		// One that ends now leaves its children to root, where the next walk
		// finds them, or to init, where no walk would.
		children, _ := childrenOf(p)
		queue = append(queue, children...)
	}
	return found, nil
}

// Childless says for certain that the calling process has no child, dead or
// alive, in one system call. False proves nothing.
func Childless() bool {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	return err == unix.ECHILD
}

// numbersIn lists the entries of a directory that are numbers.
func numbersIn(dir string) ([]int, error) {
	fd, err := open(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	var numbers []int
	var names []string
	buf := make([]byte, 8<<10)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return numbers, gone(err)
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil {
				numbers = append(numbers, pid)
			}
		}
	}
}

// readAll reads a file of the process table to its end.
func readAll(path string) ([]byte, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	b := make([]byte, 0, 512)
	for {
		n, err := unix.Read(fd, b[len(b):cap(b)])
		switch {
		case err == unix.EINTR:
		case err != nil || n == 0:
			return b, gone(err)
		default:
			b = slices.Grow(b[:len(b)+n], 512)
		}
	}
}
