package connection

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDescriptors bounds how many descriptors are gone through in one look.
const maxDescriptors = 1 << 16

// Take looks at the connections of these processes. at is the present awake time.
// A process that has ended, or has no connection, adds nothing.
func Take(pids []int, at time.Duration) (Look, error) {
	look := Look{At: at}
	listed, err := dump()
	if err != nil || len(listed) == 0 {
		return look, err
	}
	byInode := make(map[uint32]Socket, len(listed))
	for _, s := range listed {
		// 0 belongs to nobody's descriptor: the kernel is still closing it.
		if s.kernel.inode != 0 {
			byInode[s.kernel.inode] = s
		}
	}
	budget := maxDescriptors
	for _, pid := range pids {
		if len(byInode) == 0 || budget <= 0 {
			break
		}
		seen, err := descriptors(pid, &budget)
		if errors.Is(err, fs.ErrPermission) {
			look.Hidden++
		}
		for _, d := range seen {
			if s, ok := byInode[d.inode]; ok {
				s.PID, s.FD = pid, d.fd
				look.Sockets = append(look.Sockets, s)
				delete(byInode, d.inode)
			}
		}
	}
	slices.SortFunc(look.Sockets, func(a, b Socket) int {
		return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.FD, b.FD))
	})
	return look, nil
}

// descriptor is one that is a socket.
type descriptor struct {
	fd    int
	inode uint32
}

// descriptors lists those of a process that are sockets, and takes what it went
// through off the budget.
func descriptors(pid int, budget *int) ([]descriptor, error) {
	dir, err := os.Open("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return nil, fmt.Errorf("list descriptors: %w", err)
	}
	defer dir.Close() //nolint:errcheck // nothing was written
	names, err := dir.Readdirnames(*budget)
	*budget -= len(names)
	var all []descriptor
	for _, name := range names {
		if inode, ok := socketOf(pid, name); ok {
			fd, _ := strconv.Atoi(name)
			all = append(all, descriptor{fd, inode})
		}
	}
	if len(names) == 0 && err != nil && errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("list descriptors: %w", err)
	}
	return all, nil
}

// socketOf says which socket a descriptor is, if it is one.
func socketOf(pid int, fd string) (inode uint32, is bool) {
	link, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/fd/" + fd)
	if err != nil {
		return 0, false
	}
	digits, ok := strings.CutPrefix(link, "socket:[")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 32)
	return uint32(n), err == nil
}
