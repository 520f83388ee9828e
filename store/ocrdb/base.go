package ocrdb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Bytes that SQLite programs lock to agree who may write a file in place. They
// lie behind a gigabyte of data, where nothing is stored.
const (
	pendingByte  = 0x40000000
	reservedByte = pendingByte + 1
	sharedFirst  = pendingByte + 2
	sharedSize   = 510
)

// baseFile is the database file as we read it, open to lock it and to notice
// that another one has taken its place or that it was written in place.
type baseFile struct {
	*os.File
	info   os.FileInfo
	path   string
	header []byte
}

// openBase opens the file at path, which must be the same one afterwards.
func openBase(path string, flags int) (*baseFile, error) {
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, accessError(err, flags)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &baseFile{File: f, info: info, path: path}, nil
}

// accessError marks what keeps us from reading the file.
func accessError(err error, flags int) error {
	if absent(err) || flags == os.O_RDONLY && errors.Is(err, os.ErrPermission) {
		return errors.Join(ErrUnreadable, err)
	}
	return err
}

// holdStill takes the lock of a SQLite reader, under which no program commits
// in place.
func (b *baseFile) holdStill() error {
	if err := b.lock(unix.F_RDLCK, pendingByte, 1); err != nil {
		return err
	}
	return errors.Join(b.lock(unix.F_RDLCK, sharedFirst, sharedSize), b.lock(unix.F_UNLCK, pendingByte, 1))
}

// shutOut takes the lock of a SQLite writer. It goes with the file.
func (b *baseFile) shutOut() error { return b.lock(unix.F_WRLCK, reservedByte, 1) }

// release gives the reader's lock back.
func (b *baseFile) release() error { return b.lock(unix.F_UNLCK, sharedFirst, sharedSize) }

// inUse says whether a SQLite connection of another program is reading, which
// one in write-ahead logging does for as long as it is open.
func (b *baseFile) inUse() bool {
	probe := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: sharedFirst, Len: sharedSize}
	err := unix.FcntlFlock(b.Fd(), getLock, &probe)
	return err == nil && probe.Type != unix.F_UNLCK
}

// lock sets or frees one lock without waiting.
func (b *baseFile) lock(kind int16, start, length int64) error {
	err := unix.FcntlFlock(b.Fd(), setLock, &unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: start, Len: length})
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return errContended
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		// A file system without locks: nobody writes in place there safely, and
		// what was changed is still looked at before the exchange.
		return nil
	}
	return err
}

// changed says whether the file is no longer what was read: another one is in
// its place, or its header, which every commit in place changes, is another.
func (b *baseFile) changed() bool {
	there, err := os.Lstat(b.path)
	if err != nil || !os.SameFile(there, b.info) {
		return true
	}
	now := make([]byte, len(b.header))
	_, err = b.ReadAt(now, 0)
	return err != nil || !bytes.Equal(now, b.header) || b.liveSidecar()
}

// takeTurn makes the writers of this package in all processes go one after the
// other, and removes what killed ones left. The lock is on the directory and
// leaves nothing behind; nobody else uses it.
func takeTurn(ctx context.Context, dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = patiently(ctx, func() error {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errContended
		}
		// Where there are no such locks the look before the exchange has to do.
		return nil
	})
	if err == nil {
		err = removeLeft(dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// removeLeft removes the files of killed writers. The directory may have any
// name, and so only names inside it are matched.
func removeLeft(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if left, _ := filepath.Match(tempPattern, e.Name()); left {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// giveTo makes f belong to the owner of another file, as far as we may.
func giveTo(f *os.File, like os.FileInfo) {
	if uid, gid, ok := ownerOf(like); ok {
		_ = f.Chown(uid, gid) // not ours to give: it belongs to who wrote it, as the product's would
	}
}

// ownerOf tells the owner and group of a file.
func ownerOf(info os.FileInfo) (uid, gid int, ok bool) {
	return statOwner(info.Sys())
}

// renameKeeping is exchange in two steps, for a file system that has no swap:
// the replaced file is found at next. What another program puts at path between
// the two steps is lost.
func renameKeeping(next, path string) error {
	old := next + ".tmp"
	if err := os.Link(path, old); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return errors.Join(err, os.Remove(old))
	}
	return os.Rename(old, next)
}
