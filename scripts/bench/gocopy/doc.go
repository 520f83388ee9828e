// Command gocopy is the PTY wrapper everybody writes first in Go: start the
// command on a terminal and io.Copy both ways. The bench compares with it.
package main
