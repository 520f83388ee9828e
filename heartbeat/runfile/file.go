package runfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// runsDir is where run files live below the state directory.
const runsDir = "runs"

// ErrTaken says that the run has a file already, of a wrapper that lives or died.
var ErrTaken = errors.New("another wrapper has taken the run")

// File is a run's lease with the room for its exit record. It is held from
// Create until Release or the end of the process, whatever ends it; no
// child inherits it.
type File struct {
	path string
	file *os.File // nil once it was released
}

// Path is where the file of a run lies in a state directory.
func Path(stateDir, uid string) string { return filepath.Join(stateDir, runsDir, uid) }

// Create creates the file of run uid below stateDir and takes its lease.
// The file appears under its name only once it is complete and locked, so that
// nobody ever finds a living run without a lease. Of several who create the file of
// one run at once one gets it; where there is one, also of a wrapper that died, the
// error is ErrTaken and nothing has been touched.
func Create(stateDir, uid string) (*File, error) {
	path := Path(stateDir, uid)
	if err := MakeDir(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("create run directory: %w", err)
	}
	f, err := create(path)
	for i := 1; i < createTries && takenAway(err); i++ {
		f, err = create(path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = ErrTaken
	}
	if err != nil {
		return nil, fmt.Errorf("create run file %s: %w", path, err)
	}
	return &File{path: path, file: f}, nil
}

// createTries bounds how often a file is made again that [SweepUnfinished] took
// for a dead one. That takes a machine which slept between two system calls or a
// clock that jumped; that it happens twice is beyond belief.
const createTries = 3

// takenAway says whether a file was swept away, or held by the sweep, before it
// was locked and had its name.
func takenAway(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EWOULDBLOCK)
}

// create makes the file under a temporary name and publishes it.
func create(path string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), temporaryMark+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	if err := publish(f, path); err != nil {
		_ = os.Remove(f.Name())
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// publish locks, fills and names a file, in that order. The bytes are written
// rather than reserved: a written block needs nothing from the disk when it is
// written again.
func publish(f *os.File, path string) error {
	if err := flock(f, unix.LOCK_EX); err != nil {
		return err
	}
	if err := f.Chmod(0o600); err != nil {
		return err // a umask may have taken from it what others open it with
	}
	if _, err := f.WriteAt(make([]byte, recordSize), 0); err != nil {
		return err
	}
	return publishAs(f.Name(), path)
}

// publishAs gives a file its name, unless there is one of that name.
func publishAs(from, to string) error {
	err := renameNew(from, to)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		// Not every file system can do so in one step; network ones cannot.
		return linkNew(from, to)
	}
	return err
}

// linkNew is renameNew in two steps. Should the second not come to pass, a sweep does
// it once the run is over.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		_ = os.Remove(from)
	}
	return err
}

// Sync makes the file durable: one call, on the usual file systems, for both the
// blocks and the name. Until it returns, a full disk or a loss of power may cost
// the record; the lease holds without it.
func (r *File) Sync() error {
	if err := syncData(r.file); err != nil {
		return fmt.Errorf("sync run file %s: %w", r.path, err)
	}
	return nil
}

// Path is where the file lies.
func (r *File) Path() string { return r.path }

// Release gives up the lease, and removes the file when its record has been
// taken in and is of no more use. Removing comes first: at no moment does a
// free lease lie beside a run that is about to be written as ended. Releasing again
// does nothing.
func (r *File) Release(remove bool) error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	var removed error
	if remove {
		removed = os.Remove(r.path)
	}
	// Unlock and not just close: a child between fork and exec still shares
	// the descriptor and would keep the lease for that long.
	unlocked := flock(f, unix.LOCK_UN)
	if err := errors.Join(removed, unlocked, f.Close()); err != nil {
		return fmt.Errorf("release run file %s: %w", r.path, err)
	}
	return nil
}

// Held says whether some process holds the lease at path. A missing file
// is not held. Asking takes the lock for an instant, in shared mode: askers do
// not disturb each other, and a wrapper locks its file before anybody can ask.
func Held(path string) (bool, error) {
	_, held, err := Probe(path)
	return held, err
}

// Probe is Held, and says besides whether there is a file. One that is there and not
// held is of a wrapper that has died, or has let go of it at its end: it was locked
// before it had its name.
func Probe(path string) (there, held bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("probe lease: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	err = flock(f, unix.LOCK_SH)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, true, nil
	}
	if err != nil {
		return true, false, fmt.Errorf("probe lease %s: %w", path, err)
	}
	_ = flock(f, unix.LOCK_UN)
	return true, false, nil
}

// flock never waits.
func flock(f *os.File, how int) error {
	return withFD(f, func(fd int) error {
		for {
			if err := unix.Flock(fd, how|unix.LOCK_NB); err != unix.EINTR {
				return err
			}
		}
	})
}

// withFD makes a system call on a file that stays open meanwhile.
func withFD(f *os.File, call func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var called error
	err = raw.Control(func(fd uintptr) { called = call(int(fd)) })
	return errors.Join(err, called)
}

// WriteExit puts rec into the run file at path, which any process of the user
// may do, lease or not. The file does not grow and nothing is allocated. When it
// returns nil the record outlives every process; with durable it is on disk too
// and outlives a loss of power, which takes the time of a sync. A reader finds
// the old record, the new one or none, never a mixture.
func WriteExit(path string, rec ExitRecord, durable bool) error {
	b, err := rec.encode()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return fmt.Errorf("write exit record: %w", err)
	}
	_, err = f.WriteAt(b, 0)
	if durable {
		err = errors.Join(err, syncData(f))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write exit record %s: %w", path, err)
	}
	return nil
}

// ReadExit reads the record at path. ok is false, without an error, when there
// is no file, no record yet, or only part of one.
func ReadExit(path string) (rec ExitRecord, ok bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return rec, false, nil
	}
	if err != nil {
		return rec, false, fmt.Errorf("read exit record: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	b := make([]byte, recordSize)
	n, _ := f.ReadAt(b, 0)
	rec, ok = decode(b[:n])
	return rec, ok, nil
}
