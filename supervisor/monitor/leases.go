package monitor

import "path/filepath"

// nestedIn is the execution whose wrapper process pid is, as far as its lease tells:
// one that waits for its launch has no monitor yet, and no other sign of whose it is.
func (k Kin) nestedIn(pid int) (uid string, ok bool) {
	if k.RunFile == "" {
		return "", false
	}
	// The kernel names files by the way that leads to them in the end.
	dir, err := filepath.EvalSymlinks(filepath.Dir(k.RunFile))
	if err != nil {
		return "", false
	}
	for _, name := range written(pid, dir) {
		if k.foreign(name) {
			return name, true
		}
	}
	return "", false
}
