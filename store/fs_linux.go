package store

import "golang.org/x/sys/unix"

// Magic numbers of file systems that other hosts may write to, and on which the
// memory a write-ahead log needs is not shared.
const (
	magicNFS  = 0x6969
	magicSMB2 = 0xfe534d42
	magicCIFS = 0xff534d42
	magic9P   = 0x01021997
	magicCeph = 0x00c36400
	magicAFS  = 0x5346414f
)

// onRemoteFilesystem says whether dir lies on a network file system.
func onRemoteFilesystem(dir string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false, err
	}
	// The width and sign of the field differ between architectures.
	return remoteMagic(uint32(st.Type)), nil
}

// remoteMagic says whether a magic number is that of a network file system.
func remoteMagic(magic uint32) bool {
	switch magic {
	case magicNFS, magicSMB2, magicCIFS, magic9P, magicCeph, magicAFS:
		return true
	default:
		return false
	}
}
