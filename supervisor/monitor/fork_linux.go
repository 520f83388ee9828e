package monitor

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// errNotHeld says that a process cannot be held at its start.
var errNotHeld = errors.New("process cannot be held")

// forkHeld starts a process that stands before its first instruction until it
// gets a SIGCONT. It uses the stop that a traced process makes after exec, and
// turns it into one of job control; nothing of the tracing is left. Should its
// parent die meanwhile, the kernel hangs up the orphaned group: it never runs.
//
// It returns errNotHeld, with nothing started, where tracing is forbidden or
// would cost the process privileges that its file gives it.
func (m *monitor) forkHeld(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	if gainsPrivileges(attr.Dir, path) {
		return 0, errNotHeld
	}
	// Tracing binds the two threads, not the processes.
	if !m.bound {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	held := *attr
	sys := *attr.Sys
	sys.Ptrace = true
	held.Sys = &sys
	pid, err := syscall.ForkExec(path, argv, &held)
	if err == unix.EPERM || err == unix.EACCES && unix.Access(path, unix.X_OK) == nil {
		return 0, errNotHeld
	}
	if err != nil {
		return 0, err
	}
	if stoppedAtStart(pid) {
		detachStopped(pid)
	}
	return pid, nil
}

// detachStopped ends the tracing of a stopped process by handing it a SIGSTOP in
// place of the signal it stopped for.
func detachStopped(pid int) {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PTRACE, syscall.PTRACE_DETACH, uintptr(pid), 0, uintptr(unix.SIGSTOP), 0, 0)
}

// stoppedAtStart waits for the stop after exec. A process that was killed before
// it got there is left for the usual wait.
func stoppedAtStart(pid int) bool {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || info.Code != cldTrapped {
			return false
		}
		// It may be killed in this moment: its end is not to be taken in here.
		info = unix.Siginfo{}
		err = unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
		return err == nil && info.Code == cldTrapped
	}
}

// cldTrapped is the si_code of a traced process that has stopped.
// Source: the kernel's asm-generic/siginfo.h.
const cldTrapped = 4

// gainsPrivileges says whether executing a file raises privileges, which a
// traced process is denied. What cannot be told counts as yes.
func gainsPrivileges(dir, path string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return fileGains(path) || fileGains(interpreter(path))
}

// fileGains looks at one file; none gains nothing.
func fileGains(path string) bool {
	if path == "" {
		return false
	}
	info, err := os.Stat(path)
	// What is no regular file is not executed, and may have us wait when it is opened.
	if err != nil || !info.Mode().IsRegular() || info.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
		return true
	}
	n, err := unix.Getxattr(path, "security.capability", nil)
	return err == nil && n > 0
}

// interpreter is what the first line of a script names, empty for a program.
func interpreter(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read from
	head := make([]byte, 256)
	n, _ := f.Read(head)
	line, isScript := strings.CutPrefix(string(head[:n]), "#!")
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	if !isScript || len(words) == 0 {
		return ""
	}
	return words[0]
}
