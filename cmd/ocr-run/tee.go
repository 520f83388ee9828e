package main

import (
	"fmt"
	"math"
	"os"
)

// tee copies bytes to a file of bounded size. When the file is full it becomes
// FILE.1 and a new one is begun; what is no regular file, such as a device, is never full. Trouble with it ends the copy and never the
// run. A nil tee copies nothing. It belongs to one goroutine at a time.
type tee struct {
	path string
	most int64
	size int64
	file *os.File
	// err is why the copy ended early, nil when it did not.
	err error
}

// newTee opens the file of a tee for appending; it is nil without a path.
func newTee(path string, most int64) (*tee, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // no file is no tee
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	if !info.Mode().IsRegular() {
		most = math.MaxInt64
	}
	return &tee{path: path, most: most, size: info.Size(), file: f}, nil
}

// copy writes one chunk, over two files where it crosses the bound.
func (t *tee) copy(b []byte) {
	for len(b) > 0 && t.file != nil {
		n := min(int64(len(b)), max(t.most-t.size, 0))
		if n == 0 {
			t.rotate()
			continue
		}
		if _, err := t.file.Write(b[:n]); err != nil {
			t.err = err
			t.close()
			return
		}
		t.size += n
		b = b[n:]
	}
}

// rotate begins a new file.
func (t *tee) rotate() {
	t.close()
	if t.err = os.Rename(t.path, t.path+".1"); t.err != nil {
		return
	}
	f, err := os.OpenFile(t.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if t.err = err; err == nil {
		t.file, t.size = f, 0
	}
}

// close ends the copy.
func (t *tee) close() {
	if t != nil && t.file != nil {
		_ = t.file.Close()
		t.file = nil
	}
}
