package runfile

import "golang.org/x/sys/unix"

// renameNew renames a file, unless there is one of the new name.
func renameNew(from, to string) error {
	for {
		if err := unix.RenamexNp(from, to, unix.RENAME_EXCL); err != unix.EINTR {
			return err
		}
	}
}
