package main

import (
	"os"
	"syscall"
)

// ownMounts has a process see mounts of its own, which vanish with it.
func ownMounts() (*syscall.SysProcAttr, error) {
	attr := ownGroup()
	if os.Geteuid() == 0 {
		attr.Unshareflags = syscall.CLONE_NEWNS
		return attr, nil
	}
	attr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	return attr, nil
}
