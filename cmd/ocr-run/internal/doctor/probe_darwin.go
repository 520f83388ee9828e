package doctor

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// kindOf is the name of a kind of file system.
func kindOf(st *unix.Statfs_t) string { return unix.ByteSliceToString(st.Fstypename[:]) }

// readOnly says whether a file system is mounted so.
func readOnly(st *unix.Statfs_t) bool { return st.Flags&unix.MNT_RDONLY != 0 }

// FindNamespace says that there are no pid namespaces and no containers.
func FindNamespace(uint64) (own bool, container string) { return false, "" }

// FindKernel says what the system is known to allow.
func FindKernel() Kernel { return Kernel{System: "darwin", Scope: unlimited} }

// running is how many processes the user has, as far as the table tells.
func running() int64 {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.uid", os.Geteuid())
	if err != nil {
		return 0
	}
	return int64(len(all))
}

// FindService is what could start us regularly. home is that of the user.
func FindService(user, home, _ string) Service {
	return Service{Manager: "launchd", User: user, Place: filepath.Join(home, "Library", "LaunchAgents")}
}
