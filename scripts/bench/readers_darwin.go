package main

import "golang.org/x/sys/unix"

// rawTable is the least that a look at all processes can be: the kernel's table in
// one call, and of each process what it was started with.
func rawTable() error {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	for i := range all {
		_, _ = unix.SysctlRaw("kern.procargs2", int(all[i].Proc.P_pid))
	}
	return err
}
