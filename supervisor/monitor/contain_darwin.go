package monitor

import "syscall"

// bornIn has nothing to do: there are no control groups.
func bornIn(*syscall.SysProcAttr, int) {}
