package runfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData hands the file's bytes to the disk. It does not wait for the disk's
// own cache, as [os.File.Sync] does here for tens of milliseconds: what the
// record has to outlive is this process and a full disk.
func syncData(f *os.File) error { return withFD(f, unix.Fsync) }
