package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unifiedRoots are where the unified hierarchy is mounted: alone, or beside those
// of the older kind.
func unifiedRoots() []string { return []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} }

// managed says whether systemd runs this machine and hands out the control groups.
func managed() bool {
	_, err := os.Lstat("/run/systemd/system")
	return err == nil
}

// MakeGroup makes a control group for an execution below the caller's own, which
// must have been delegated to it; given means that the caller asked for its own
// group and knows that it was. Without a hierarchy, or in one that is not ours, it
// is ErrNoCgroup, which one file and one look at another tell.
func MakeGroup(uid string, given bool) (Group, error) {
	own, err := Cgroup(os.Getpid())
	name := groupName(uid)
	if err != nil || own == "" || name == "" {
		return Group{}, ErrNoCgroup
	}
	for _, root := range unifiedRoots() {
		if unix.Access(filepath.Join(root, own, "cgroup.procs"), unix.W_OK) == nil && isUnified(root) {
			return makeGroup(root, own, name, given || !managed())
		}
	}
	return Group{}, ErrNoCgroup
}

// GroupPath is where the group of an execution would be made by us; empty for nowhere.
func GroupPath(uid string) string {
	own, err := Cgroup(os.Getpid())
	name := groupName(uid)
	if err != nil || own == "" || name == "" {
		return ""
	}
	return path.Join(own, name)
}

// isUnified says whether a directory is the mounted unified hierarchy.
func isUnified(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

// makeGroup makes a group below another one of the hierarchy at root, if that may
// be divided.
func makeGroup(root, own, name string, ours bool) (Group, error) {
	dir := filepath.Join(root, own)
	if !divisible(dir) || !ours && !delegated(dir) {
		return Group{}, ErrNoCgroup
	}
	g := Group{dir: filepath.Join(dir, name), path: path.Join(own, name)}
	if err := os.Mkdir(g.dir, 0o755); err != nil { //nolint:gosec // the mode of every group: who sees it may look
		return Group{}, fmt.Errorf("make control group %s: %w", g.path, err)
	}
	return g, nil
}

// divisible says whether we can put processes into groups below dir: we may write
// to all that takes, and it holds processes of its own kind. No resource is
// distributed below it on our account, so that processes may stay in dir itself.
func divisible(dir string) bool {
	for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		if unix.Access(filepath.Join(dir, name), unix.W_OK) != nil {
			return false
		}
	}
	kind, err := os.ReadFile(filepath.Join(dir, "cgroup.type"))
	// The root has no kind.
	return errors.Is(err, fs.ErrNotExist) || err == nil && string(bytes.TrimSpace(kind)) == "domain"
}

// delegated says whether systemd has marked a group as left to who is in it.
// Source: https://systemd.io/CGROUP_DELEGATION.
func delegated(dir string) bool {
	var value [8]byte
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(dir, name, value[:]); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

// GroupAt finds a group that we once made, by its path; false when it is no longer
// there, or when the path is of no group of ours.
func GroupAt(at string) (Group, bool) {
	if !strings.HasPrefix(path.Base(at), groupPrefix) || path.Clean(at) != at {
		return Group{}, false
	}
	for _, root := range unifiedRoots() {
		dir := filepath.Join(root, at)
		if unix.Access(filepath.Join(dir, "cgroup.procs"), unix.F_OK) == nil {
			return Group{dir: dir, path: at}, true
		}
	}
	return Group{}, false
}

// Open opens the group for a process to be born in it.
func (g Group) Open() (int, error) {
	if g.dir == "" {
		return -1, ErrNoCgroup
	}
	fd, err := open(g.dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return -1, fmt.Errorf("open control group %s: %w", g.path, err)
	}
	return fd, nil
}

// Members lists the pids in the group and below it. Zombies are in none. A group
// that is gone has none.
func (g Group) Members() ([]int, error) {
	var all []int
	err := g.each(func(dir string) error {
		own, err := membersOf(dir)
		all = append(all, own...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list control group %s: %w", g.path, err)
	}
	return all, nil
}

// membersOf lists the pids of one group.
func membersOf(dir string) ([]int, error) {
	b, err := readAll(filepath.Join(dir, "cgroup.procs"))
	if err != nil && !vanished(err) {
		return nil, err
	}
	var pids []int
	for f := range bytes.FieldsSeq(b) {
		// 0 is a process of another pid namespace: somebody whom we do not see.
		if pid, err := strconv.Atoi(string(f)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// vanished says whether an error means that a group is no longer there.
func vanished(err error) bool {
	return errors.Is(err, ErrGone) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) || errors.Is(err, fs.ErrNotExist)
}

// each visits the group and all below it, those below first.
func (g Group) each(do func(dir string) error) error {
	if g.dir == "" {
		return nil
	}
	var dirs []string
	err := filepath.WalkDir(g.dir, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, at)
		}
		if err != nil && vanished(err) {
			return nil
		}
		return err
	})
	for _, dir := range slices.Backward(dirs) {
		if err == nil {
			err = do(dir)
		}
	}
	return err
}

// freezeWait is how long a group may take to come to a halt. One that runs takes
// microseconds; a process that waits in the kernel may take for ever, and bears no
// children there.
const freezeWait = 20 // milliseconds

// Freeze halts everybody in the group and below it, newborns included, or lets
// them go on. It returns when they stand, or seem unable to.
func (g Group) Freeze(on bool) error {
	value := "0"
	if on {
		value = "1"
	}
	if err := g.write("cgroup.freeze", value); err != nil || !on {
		return err
	}
	fd, err := open(filepath.Join(g.dir, "cgroup.events"), unix.O_RDONLY)
	if err != nil {
		return fmt.Errorf("read events of control group %s: %w", g.path, err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	for range freezeWait {
		var buf [256]byte
		if n, err := unix.Pread(fd, buf[:], 0); err != nil || bytes.Contains(buf[:n], []byte("frozen 1")) {
			return nil // it was told to halt; who cannot be asked is not waited for
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}, 1)
	}
	return nil
}

// Kill kills everybody in the group and below it at one stroke, newborns included.
func (g Group) Kill() error { return g.write("cgroup.kill", "1") }

// write writes to one of the group's files.
func (g Group) write(name, value string) error {
	if g.dir == "" {
		return ErrNoCgroup
	}
	fd, err := open(filepath.Join(g.dir, name), unix.O_WRONLY)
	if err == nil {
		_, err = unix.Write(fd, []byte(value))
		_ = unix.Close(fd)
	}
	if err != nil {
		return fmt.Errorf("write %s of control group %s: %w", name, g.path, err)
	}
	return nil
}

// releasePasses bounds how often Release moves those who are born meanwhile.
const releasePasses = 16

// Release gives the group up at the end of its run: who is still in it lives on
// where it would have lived without a group. Groups made inside it, of runs that
// still live, are left alone, and the group with them: the last of them removes it.
func (g Group) Release() error {
	for range releasePasses {
		err := g.Remove()
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		members, err := membersOf(g.dir)
		if err != nil {
			return fmt.Errorf("release control group %s: %w", g.path, err)
		}
		_ = g.Freeze(false)    // whoever halted it may be gone
		if len(members) == 0 { // but below it somebody lives
			return fmt.Errorf("release control group %s: %w", g.path, unix.EBUSY)
		}
		up := Group{dir: filepath.Dir(g.dir), path: path.Dir(g.path)}
		for _, pid := range members {
			if pid == 0 {
				continue // written, it would mean ourselves
			}
			if err := up.write("cgroup.procs", strconv.Itoa(pid)); err != nil && !vanished(err) {
				return err
			}
		}
	}
	return fmt.Errorf("release control group %s: %w", g.path, unix.EBUSY)
}

// populated says whether somebody lives in the group or below it, be it one whom we
// cannot see.
func (g Group) populated() bool {
	b, err := readAll(filepath.Join(g.dir, "cgroup.events"))
	return err == nil && bytes.Contains(b, []byte("populated 1"))
}

// Remove removes the group if nobody is in it, with the empty ones below it, and
// the ones above it that were ours and have only waited for it. One that is not
// empty stays, and the error is EBUSY; so does what is below it: of those, one may be
// about to be used by somebody in it. One that is gone is no error.
func (g Group) Remove() error {
	if g.populated() {
		return fmt.Errorf("remove control group %s: %w", g.path, unix.EBUSY)
	}
	err := g.each(func(dir string) error {
		if err := unix.Rmdir(dir); err != nil && !vanished(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove control group %s: %w", g.path, err)
	}
	for up, empty := filepath.Dir(g.dir), true; empty && strings.HasPrefix(filepath.Base(up), groupPrefix); up = filepath.Dir(up) {
		empty = unix.Rmdir(up) == nil
	}
	return nil
}
