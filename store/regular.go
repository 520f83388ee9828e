package store

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// privateFile is the mode of every file of ours.
const privateFile fs.FileMode = 0o600

// errIrregular: what has the name of a file is a FIFO, a device, a socket, a directory
// or a link.
var errIrregular = errors.New("not a regular file")

// openRegular opens a regular file and nothing else. It never waits, as the other end of
// a FIFO would have it do. A file that is new is its owner's to read and write, whatever
// the umask.
func openRegular(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, privateFile)
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EISDIR):
		return nil, &fs.PathError{Op: "open", Path: path, Err: errIrregular}
	case err != nil:
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "open", Path: path, Err: errIrregular}
	case flag&os.O_CREATE != 0 && info.Size() == 0 && info.Mode().Perm()&privateFile != privateFile:
		err = f.Chmod(privateFile)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readRegular reads a regular file and nothing else.
func readRegular(path string) (content []byte, err error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(f)
}
