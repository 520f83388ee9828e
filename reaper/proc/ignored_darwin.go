package proc

import "syscall"

// Ignores says whether a process ignores a signal: whoever sends it one tells it nothing.
// It returns ErrGone when there is no such process.
func Ignores(pid int, sig syscall.Signal) (bool, error) {
	k, err := kinfo(pid)
	if err != nil {
		return false, err
	}
	return k.Proc.P_sigignore&(1<<(sig-1)) != 0, nil
}
