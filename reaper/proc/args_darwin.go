package proc

import "fmt"

// Args is the argument list of a process; empty for one that has none.
func Args(pid int) ([]string, error) {
	args, _, err := argsOf(pid)
	if err != nil {
		return nil, fmt.Errorf("read arguments of %d: %w", pid, err)
	}
	return args, nil
}

// Cgroup is always empty: there are no control groups.
func Cgroup(int) (string, error) { return "", nil }
