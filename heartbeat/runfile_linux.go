package heartbeat

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes the file's bytes durable; its times are of no interest.
func syncData(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var synced error
	err = raw.Control(func(fd uintptr) { synced = unix.Fdatasync(int(fd)) })
	return errors.Join(err, synced)
}
