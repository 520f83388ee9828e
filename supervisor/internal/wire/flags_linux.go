package wire

import "golang.org/x/sys/unix"

// receiveFlags closes what is received on exec from the first moment.
const receiveFlags = unix.MSG_CMSG_CLOEXEC
