package proc

import "fmt"

// maxArgs is as much of an argument list as is looked at: a build server's class
// path goes before its class.
const maxArgs = 64 << 10

// Args is the argument list of a process; empty for one that has none.
func Args(pid int) ([]string, error) {
	b, err := readUpTo(procPath(pid, "cmdline"), maxArgs)
	if err != nil {
		return nil, fmt.Errorf("read arguments of %d: %w", pid, err)
	}
	return splitNUL(b), nil
}

// Cgroup is the control group of a process in the unified hierarchy, as a path
// from its root; empty where there is no such hierarchy.
func Cgroup(pid int) (string, error) {
	var buf [4 << 10]byte
	b, err := readInto(procPath(pid, "cgroup"), buf[:])
	if err != nil {
		return "", fmt.Errorf("read control group of %d: %w", pid, err)
	}
	return unifiedCgroup(string(b)), nil
}
