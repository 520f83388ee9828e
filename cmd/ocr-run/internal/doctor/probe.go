package doctor

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// unlimited is a limit, or a count, that is none.
const unlimited = -1

// FindProgram looks for the files called name in the directories of a PATH, which
// are taken from dir where they are not absolute. self is the file of this process.
func FindProgram(name, self, path, dir string) Program {
	p := Program{Self: self}
	here, hereErr := os.Stat(self)
	for _, place := range filepath.SplitList(path) {
		if !filepath.IsAbs(place) {
			place = filepath.Join(dir, place)
		}
		file := filepath.Join(place, name)
		info, err := os.Stat(file)
		if err != nil || info.IsDir() || unix.Access(file, unix.X_OK) != nil {
			continue
		}
		same := hereErr == nil && os.SameFile(here, info)
		if same && slices.Contains(p.Same, true) {
			continue // the same file by another way
		}
		p.Found, p.Same = append(p.Found, file), append(p.Same, same)
	}
	return p
}

// FindHome looks at HOME and at what the system says of this user. lookup is
// os.LookupEnv.
func FindHome(lookup func(string) (string, bool)) Home {
	h := Home{UID: os.Geteuid()}
	h.Home, h.Set = lookup("HOME")
	h.StateHome, _ = lookup("XDG_STATE_HOME")
	if u, err := user.LookupId(strconv.Itoa(h.UID)); err == nil {
		h.User, h.Passwd = u.Username, u.HomeDir
	}
	if info, err := os.Stat(h.Home); err == nil && info.IsDir() {
		h.Exists, h.Owner = true, ownerOf(info)
	}
	return h
}

// ownerOf is the user a file belongs to.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return os.Geteuid()
}

// FindState looks at a state directory. Whether it is shared by network is for the
// caller to say.
func FindState(dir string) State {
	s := State{Dir: dir, Nearest: dir, Free: unlimited}
	if dir == "" {
		return s
	}
	info, err := os.Stat(s.Nearest)
	for err != nil && s.Nearest != filepath.Dir(s.Nearest) {
		s.Nearest = filepath.Dir(s.Nearest)
		info, err = os.Stat(s.Nearest)
	}
	s.IsDir = err == nil && info.IsDir()
	s.Writable = unix.Access(s.Nearest, unix.W_OK|unix.X_OK) == nil
	var st unix.Statfs_t
	if unix.Statfs(s.Nearest, &st) == nil {
		s.Filesystem, s.ReadOnly = kindOf(&st), readOnly(&st)
		s.Free = int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert,nolintlint // its width differs between systems
	}
	if s.Nearest == dir && s.IsDir {
		s.Entries = entriesOf(dir)
	}
	return s
}

// entriesOf are a directory and what is in it.
func entriesOf(dir string) []Entry {
	paths := []string{dir}
	inside, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range inside {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	var all []Entry
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil { // a link has no mode of its own
			all = append(all, Entry{Path: path, Mode: info.Mode(), Owner: ownerOf(info)})
		}
	}
	return all
}

// FindTerminal looks at the standard descriptors, and whether a further terminal
// could be had.
func FindTerminal(files [3]*os.File, name string) Terminal {
	t := Terminal{Term: name}
	for i, f := range files {
		fd := int(f.Fd())
		if t.Is[i] = term.IsTerminal(fd); t.Is[i] && t.Columns == 0 {
			t.Columns, t.Rows, _ = term.GetSize(fd)
		}
	}
	if err := unix.Access("/dev/ptmx", unix.R_OK|unix.W_OK); err != nil {
		t.NoneWhy = err.Error()
	}
	return t
}

// FindLimits asks for the limits of this process.
func FindLimits() Limits {
	l := Limits{
		Asked: true, Files: limitOf(unix.RLIMIT_NOFILE), Processes: limitOf(unix.RLIMIT_NPROC), FileSize: limitOf(unix.RLIMIT_FSIZE),
	}
	if os.Geteuid() == 0 {
		l.Processes = unlimited // nobody counts those of root
	}
	l.Running = running()
	return l
}

// limitOf is a soft limit.
func limitOf(resource int) int64 {
	var r unix.Rlimit
	if unix.Getrlimit(resource, &r) != nil || r.Cur >= 1<<62 {
		return unlimited
	}
	return int64(r.Cur)
}
