package doctor

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kindOf is the name of a kind of file system, empty for one nobody asks about.
func kindOf(st *unix.Statfs_t) string {
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.F2FS_SUPER_MAGIC:
		return "f2fs"
	case unix.TMPFS_MAGIC:
		return "tmpfs, which a restart empties"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs, which may end with the container"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC:
		return "smb"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse"
	default:
		return ""
	}
}

// readOnly says whether a file system is mounted so.
func readOnly(st *unix.Statfs_t) bool { return st.Flags&unix.ST_RDONLY != 0 }

// firstNamespace is the number the kernel gives to the machine's own pid namespace.
const firstNamespace = 0xEFFFFFFC

// FindNamespace says whether a pid namespace is another than the machine's first
// one, and what kind of container this looks like.
func FindNamespace(inode uint64) (own bool, container string) {
	for path, kind := range map[string]string{"/.dockerenv": "a docker container", "/run/.containerenv": "a podman container"} {
		if _, err := os.Stat(path); err == nil {
			container = kind
		}
	}
	if b, err := os.ReadFile("/run/systemd/container"); err == nil {
		container = "a container of " + strings.TrimSpace(string(b))
	}
	return inode != 0 && inode != firstNamespace, container
}

// FindKernel asks what may be done with processes.
func FindKernel() Kernel {
	k := Kernel{System: "linux", Subreaper: refusal(trySubreaper()), Pidfd: refusal(tryPidfd()), Cgroup: findCgroup(), Scope: unlimited}
	if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			k.Scope = n
		}
	}
	if b, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		k.Hidden = hidden(string(b))
	}
	if _, err := os.ReadFile("/proc/self/net/tcp"); err != nil {
		k.Sockets = err.Error()
	}
	k.OtherPID, k.OtherTrouble = readOther()
	return k
}

// refusal is an error as a reason, empty without one.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// trySubreaper sets the attribute to what it is.
func trySubreaper() error {
	var is int32
	//nolint:gosec // the kernel writes an int there
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, uintptr(is), 0, 0, 0)
}

// tryPidfd opens a handle on ourselves and sends no signal through it.
func tryPidfd() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	return unix.PidfdSendSignal(fd, 0, nil, 0)
}

// findCgroup looks where we stand.
func findCgroup() Cgroup {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Cgroup{}
	}
	for line := range strings.Lines(string(b)) {
		path, is := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::")
		if !is {
			continue
		}
		for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
			var st unix.Statfs_t
			if unix.Statfs(mount, &st) == nil && uint32(st.Type) == unix.CGROUP2_SUPER_MAGIC {
				dir := filepath.Join(mount, path)
				ours := unix.Access(dir, unix.W_OK) == nil && unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK) == nil
				return Cgroup{Unified: true, Path: path, Ours: ours}
			}
		}
	}
	return Cgroup{}
}

// hidden is the value of hidepid among the options of /proc, from a list of mounts.
func hidden(mounts string) string {
	for line := range strings.Lines(mounts) {
		_, super, _ := strings.Cut(line, " - proc ")
		if fields := strings.Fields(line); super == "" || len(fields) < 5 || fields[4] != "/proc" {
			continue
		}
		for option := range strings.SplitSeq(strings.TrimSpace(super[strings.LastIndexByte(super, ' ')+1:]), ",") {
			if value, is := strings.CutPrefix(option, "hidepid="); is && value != "0" && value != "off" {
				return value
			}
		}
	}
	return ""
}

// triesOther bounds how many processes are asked for their environment.
const triesOther = 64

// readOther tries to read the environment of other processes of this user. One that
// is protected shows as somebody else's.
func readOther() (pid int, trouble string) {
	for i, other := range ownProcesses() {
		if i >= triesOther || trouble == "" && pid != 0 {
			break
		}
		f, err := os.Open(filepath.Join("/proc", strconv.Itoa(other), "environ"))
		if os.IsNotExist(err) {
			continue
		}
		pid, trouble = other, refusal(err)
		if err == nil {
			_ = f.Close()
		}
	}
	return pid, trouble
}

// ownProcesses are the processes of this user, ourselves excepted.
func ownProcesses() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var own []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if info, err := e.Info(); err == nil && ownerOf(info) == os.Geteuid() && !bytes.Equal(commandOf(pid), nil) {
			own = append(own, pid)
		}
	}
	return own
}

// commandOf is what a process was started with; threads of the kernel have none.
func commandOf(pid int) []byte {
	b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")) // one that has ended has none either
	return b
}

// running is how many processes the user has.
func running() int64 { return int64(len(ownProcesses())) }

// FindService looks for what could start us regularly. user is a name and config where
// the user's settings are.
func FindService(user, _, config string) Service {
	s := Service{User: user, Place: filepath.Join(config, "systemd", "user")}
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return s
	}
	s.Manager = "systemd"
	if user != "" {
		_, err := os.Stat(filepath.Join("/var/lib/systemd/linger", user))
		s.LingerKnown, s.Linger = true, err == nil
	}
	return s
}
