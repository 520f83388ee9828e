package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// errArgs is a block of arguments that makes no sense.
var errArgs = errors.New("malformed argument block")

// parseArgs takes apart the block in which macOS keeps what a process was
// started with: the number of arguments, the path of the program, padding, the
// arguments, the environment. The environment ends at the first empty string;
// what the system adds behind it for its own use is not the program's. It is
// also empty, without any sign of it, where the system hides it.
//
// It is kept free of the system it serves so that it is tested everywhere.
func parseArgs(b []byte) (args, env []string, err error) {
	const head = 4
	if len(b) < head {
		return nil, nil, errArgs
	}
	argc := int(int32(binary.LittleEndian.Uint32(b)))
	_, rest, found := bytes.Cut(b[head:], []byte{0})
	if !found || argc < 0 || argc > len(rest) {
		return nil, nil, errArgs
	}
	rest = bytes.TrimLeft(rest, "\x00")
	for range argc {
		s, after, found := bytes.Cut(rest, []byte{0})
		if !found {
			return nil, nil, errArgs
		}
		args, rest = append(args, string(s)), after
	}
	for {
		s, after, found := bytes.Cut(rest, []byte{0})
		if !found || len(s) == 0 {
			return args, env, nil
		}
		env, rest = append(env, string(s)), after
	}
}
