package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// idleMost is for how long a reader of the copy may take nothing, awake: a run that fills
// its pipe is held up meanwhile. It is many times what a reader on a busy machine needs,
// and leaves a run that is stopped time to be over within five seconds.
const idleMost = 2 * time.Second

// tee copies bytes to a file of bounded size. When the file is full it becomes
// FILE.1 and a new one is begun; what is no regular file, such as a device or a pipe, is
// never full. Trouble with it ends the copy and never the run. A nil tee copies nothing. It
// belongs to one goroutine at a time.
type tee struct {
	path  string
	most  int64
	size  int64
	file  *os.File
	clock clock.Clock
	// patience is half of how long a reader may take nothing; 0 where there is none.
	patience time.Duration
	// err is why the copy ended early, nil when it did not.
	err error
}

// newTee opens the file of a tee for appending; it is nil without a path.
func newTee(path string, most int64, c clock.Clock) (*tee, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // no file is no tee
	}
	f, err := openUnwaiting(path)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	t := &tee{path: path, most: most, size: info.Size(), file: f, clock: c}
	if !info.Mode().IsRegular() {
		t.most, t.patience = math.MaxInt64, idleMost/2
	}
	return t, nil
}

// openUnwaiting opens a file for appending that no write waits for beyond a deadline. A pipe
// that nobody reads is an error, for nobody might ever; a reader that is started beside us
// is given half a second to open it. Package os knows no deadlines for pipes that it has
// opened itself on macOS.
func openUnwaiting(path string) (*os.File, error) {
	const (
		flags = unix.O_CREAT | unix.O_WRONLY | unix.O_APPEND | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
		tries = 50
	)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	fd, err := unix.Open(path, flags, 0o600)
	for n := 0; n < tries && (errors.Is(err, unix.ENXIO) || errors.Is(err, unix.EINTR)); n++ {
		<-again.C
		fd, err = unix.Open(path, flags, 0o600)
	}
	switch {
	case errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("%s: nobody reads it", path)
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// copy writes one chunk, over two files where it crosses the bound.
func (t *tee) copy(b []byte) {
	for len(b) > 0 && t.file != nil {
		n := min(int64(len(b)), max(t.most-t.size, 0))
		if n == 0 {
			t.rotate()
			continue
		}
		if t.err = t.write(b[:n]); t.err != nil {
			t.close()
			return
		}
		t.size += n
		b = b[n:]
	}
}

// write hands b on. A reader is waited for as long as it goes on taking: one that took
// nothing in two waits in a row takes nothing, while one may be the sleep of a machine that
// stood still.
func (t *tee) write(b []byte) error {
	for idle := 0; ; {
		if t.patience > 0 {
			// What makes nobody wait, as /dev/null, knows no deadline and needs none.
			_ = t.file.SetWriteDeadline(t.clock.Now().Wall.Add(t.patience))
		}
		n, err := t.file.Write(b)
		b = b[n:]
		if idle++; n > 0 {
			idle = 0
		}
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case idle == 2:
			return fmt.Errorf("write %s: its reader takes nothing", t.path)
		}
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
