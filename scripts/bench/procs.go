package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// process is one line of the process table.
type process struct {
	pid, parent int
	name        string
	// dead: it has exited and only waits to be reaped.
	dead bool
}

// below lists the living processes under root, not root itself.
func below(root int) []process {
	table := processes()
	known := map[int]bool{root: true}
	var found []process
	for grew := true; grew; {
		grew = false
		for _, p := range table {
			if known[p.parent] && !known[p.pid] {
				known[p.pid], grew = true, true
				found = append(found, p)
			}
		}
	}
	return slices.DeleteFunc(found, func(p process) bool { return p.dead })
}

// killTree ends a process the bench started and everything below it.
func killTree(pid int) {
	tree := below(pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	killAll(tree)
}

// killAll ends processes; gone ones are what is wanted.
func killAll(tree []process) {
	for _, p := range tree {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// settled waits up to a second for everything below the bench to be gone, and
// returns what is not: a monitor may outlive its wrapper by a moment.
func settled() []process {
	left := below(os.Getpid())
	for range 100 {
		if len(left) == 0 {
			break
		}
		_ = wait(context.Background(), 10*time.Millisecond)
		left = below(os.Getpid())
	}
	return left
}

// removeDescendants kills and reaps what the bench or a peer left below the
// bench, until nothing is, and names what it found. No run may be waited for
// at the same time: its exit would be reaped here.
func removeDescendants() []string {
	settled()
	var names []string
	for range 500 {
		left := below(os.Getpid())
		if names == nil {
			names = describe(left)
		}
		killAll(left)
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
				break
			}
		}
		if len(left) == 0 {
			break
		}
		_ = wait(context.Background(), 10*time.Millisecond)
	}
	return names
}

// describe counts processes by name.
func describe(tree []process) []string {
	counts := map[string]int{}
	for _, p := range tree {
		counts[p.name]++
	}
	names := []string{}
	for name, n := range counts {
		names = append(names, fmt.Sprintf("%d %s", n, name))
	}
	slices.Sort(names)
	return names
}
