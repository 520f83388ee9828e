package proc

import "strings"

// environBlock is an environment as one block of strings that each end in a zero
// byte. The system hands it out in a form of its own, so that nothing is gained
// by the buffer.
func environBlock(pid int, _ *[]byte) ([]byte, error) {
	env, err := Environ(pid)
	if err != nil {
		return nil, err
	}
	return []byte(strings.Join(env, "\x00")), nil
}
