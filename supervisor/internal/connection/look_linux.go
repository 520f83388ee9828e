package connection

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// maxDescriptors bounds how many descriptors are gone through in one look.
const maxDescriptors = 1 << 16

// Take looks at the connections of these processes. at is the present awake time.
// A process that has ended, or has no connection, adds nothing.
func Take(pids []int, at time.Duration) (Look, error) {
	look := Look{At: at}
	owners := map[uint32]owner{}
	budget := maxDescriptors
	for _, pid := range pids {
		seen, err := descriptors(pid, &budget)
		if errors.Is(err, fs.ErrPermission) {
			look.Hidden++
		}
		for _, d := range seen {
			if _, shared := owners[d.inode]; !shared {
				owners[d.inode] = owner{pid, d.fd}
			}
		}
		if budget <= 0 {
			break
		}
	}
	// The kernel goes through a large table for the list, however short it is.
	if len(owners) == 0 {
		return look, nil
	}
	listed, err := dump()
	for _, s := range listed {
		if o, ours := owners[s.kernel.inode]; ours {
			s.PID, s.FD = o.pid, o.fd
			look.Sockets = append(look.Sockets, s)
		}
	}
	slices.SortFunc(look.Sockets, func(a, b Socket) int {
		return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.FD, b.FD))
	})
	return look, err
}

// owner is who was first seen to have a socket.
type owner struct{ pid, fd int }

// descriptor is one that is a socket.
type descriptor struct {
	fd    int
	inode uint32
}

// descriptors lists those of a process that are sockets, and takes what it went
// through off the budget. It goes below package os, whose paths would double the
// cost.
func descriptors(pid int, budget *int) ([]descriptor, error) {
	dir, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("list descriptors: %w", err)
	}
	defer unix.Close(dir) //nolint:errcheck // nothing was written
	var all []descriptor
	var names []string
	buf := make([]byte, 8<<10)
	for *budget > 0 {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n == 0 {
			return all, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		*budget -= len(names)
		for _, name := range names {
			if inode, ok := socketOf(dir, name); ok {
				fd, _ := strconv.Atoi(name)
				all = append(all, descriptor{fd, inode})
			}
		}
	}
	return all, nil
}

// socketOf says which socket a descriptor is, if it is one.
func socketOf(dir int, name string) (inode uint32, is bool) {
	var link [64]byte
	n, err := unix.Readlinkat(dir, name, link[:])
	if err != nil {
		return 0, false
	}
	digits, ok := bytes.CutPrefix(link[:n], []byte("socket:["))
	if !ok {
		return 0, false
	}
	number, err := strconv.ParseUint(string(bytes.TrimSuffix(digits, []byte("]"))), 10, 32)
	return uint32(number), err == nil
}
