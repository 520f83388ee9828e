package monitor

import "syscall"

// bornIn has a process be born in the control group that is open as dir.
func bornIn(sys *syscall.SysProcAttr, dir int) { sys.UseCgroupFD, sys.CgroupFD = true, dir }
