package wire

// receiveFlags is none: the system knows no way to close what is received on exec
// from the first moment.
const receiveFlags = 0
