package proc

import (
	"bytes"
	"strings"
)

// LookupEnv is the value of one variable in a process's environment; ok is
// false when it is not set there.
func LookupEnv(pid int, key string) (value string, ok bool, err error) {
	env, err := Environ(pid)
	if err != nil {
		return "", false, err
	}
	value, ok = lookup(env, key)
	return value, ok, nil
}

// lookup finds the first value of key, which is the one a C program sees.
func lookup(env []string, key string) (string, bool) {
	for _, kv := range env {
		if k, v, found := strings.Cut(kv, "="); found && k == key {
			return v, true
		}
	}
	return "", false
}

// splitNUL splits a block of strings that each end in a zero byte.
func splitNUL(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// bracketed is how a process without arguments is named.
func bracketed(p Process) string { return "[" + p.Name + "]" }
