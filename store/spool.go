package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The operations a spool can hold.
const (
	opAnnounce = "announce"
	opLaunch   = "launch"
	opSuspend  = "suspend"
	opContinue = "continue"
	opFinish   = "finish"
	opEvent    = "event"
	opReport   = "report"
)

// fact is one line of a spool: an operation and what it is about.
type fact struct {
	Op           string        `json:"op"`
	UID          string        `json:"uid,omitempty"`
	Generation   int64         `json:"generation,omitempty"`
	At           *Instant      `json:"at,omitempty"`
	Signal       int           `json:"signal,omitempty"`
	Announcement *Announcement `json:"announcement,omitempty"`
	Launch       *Launch       `json:"launch,omitempty"`
	Ending       *Ending       `json:"ending,omitempty"`
	Event        *Event        `json:"event,omitempty"`

	// IfLost is the ending for a ledger that did not have the run while it lasted: the one
	// that had it was lost with what the run worked on.
	IfLost *Ending `json:"if_lost,omitempty"`

	Report *SessionReport `json:"report,omitempty"`
	// Wrapper is whose run it is about, where that is known: two may have run under one
	// uid while nobody could be asked.
	Wrapper *Identity `json:"wrapper,omitempty"`
}

// uid is the execution the fact is about.
func (f fact) uid() string {
	switch {
	case f.Announcement != nil:
		return f.Announcement.UID
	case f.Launch != nil:
		return f.Launch.UID
	case f.Ending != nil:
		return f.Ending.UID
	case f.Event != nil:
		return f.Event.UID
	case f.Report != nil:
		return f.Report.UID
	default:
		return f.UID
	}
}

// Names of the files of one execution in a spool directory.
const (
	// spoolSuffix: facts waiting. Only appended to, by its own wrapper.
	spoolSuffix = ".jsonl"
	// takenSuffix: facts being taken in. The wrapper never touches it.
	takenSuffix = ".jsonl.taken"
	// rejectedSuffix: facts no ledger will take, each with the reason.
	rejectedSuffix = ".jsonl.rejected"
	// spoolLock is held by the one process that takes facts in.
	spoolLock = ".lock"
)

// errNoSpool: there is no place for a spool.
var errNoSpool = errors.New("no spool directory")

// spool is a directory of facts that wait for the ledger.
type spool struct{ dir string }

// path is a file of the execution uid. A uid given from outside may be no file
// name.
func (s spool) path(uid, suffix string) string {
	plain := strings.Trim(uid, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
	if !plain || uid == "" || len(uid) > 128 {
		uid = "x" + digest([]byte(uid))
	}
	return filepath.Join(s.dir, uid+suffix)
}

// holds says whether facts of an execution may be waiting.
func (s spool) holds(uid string) bool {
	for _, suffix := range []string{spoolSuffix, takenSuffix} {
		if _, err := os.Lstat(s.path(uid, suffix)); s.dir != "" && err == nil {
			return true
		}
	}
	return false
}

// digest names some content.
func digest(content []byte) string {
	h := fnv.New128a()
	_, _ = h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// append adds facts, in one write. The file is opened anew each time: whoever
// takes it in moves it away, and what is written after that needs a new file.
func (s spool) append(uid string, facts []fact) error {
	var lines bytes.Buffer
	for _, f := range facts {
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	if s.dir == "" {
		return errNoSpool
	}
	if err := makeDir(s.dir); err != nil {
		return err
	}
	for {
		done, err := s.appendTo(s.path(uid, spoolSuffix), lines.Bytes())
		if done || err != nil {
			return err
		}
	}
}

// probe tries whether a page can be written, and takes it away again.
func (s spool) probe() error {
	if s.dir == "" {
		return errNoSpool
	}
	if err := makeDir(s.dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, ".probe-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, os.Getpagesize()))
	if trouble, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("write in %s: %w", s.dir, trouble.Err)
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// appendTo adds lines to the file at path, unless it was moved away between
// opening and locking it.
func (s spool) appendTo(path string, lines []byte) (done bool, err error) {
	f, err := openRegular(path, os.O_RDWR|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return false, fmt.Errorf("lock %s: %w", path, err)
	}
	here, err := stillAt(f, path)
	if err != nil || !here {
		return false, err
	}
	if torn(f) {
		lines = append([]byte{'\n'}, lines...)
	}
	_, err = f.Write(lines)
	return err == nil, err
}

// stillAt says whether path still names the open file.
func stillAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, there), err
}

// torn says whether the last write was cut short: no line may grow onto it.
func torn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// reject keeps a line no ledger will take, with the reason.
func (s spool) reject(uid string, line []byte, reason error) error {
	entry, err := json.Marshal(struct {
		Reason string `json:"reason"`
		Line   string `json:"line"`
	}{reason.Error(), string(line)})
	if err != nil {
		return err
	}
	f, err := openRegular(s.path(uid, rejectedSuffix), os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	_, err = f.Write(append(entry, '\n'))
	return errors.Join(err, f.Close())
}

// lock makes this process the one that takes facts in; ErrBusy when another is.
func (s spool) lock() (unlock func() error, err error) {
	f, err := openRegular(filepath.Join(s.dir, spoolLock), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%w: spool %s is being taken in by another process", ErrBusy, s.dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		// By name: a child that is being started has a copy, which would keep the lock.
		return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
	}, nil
}

// claim moves the facts of an execution to where only the holder of the lock
// looks for them. It says whether there are any.
func (s spool) claim(uid string) (bool, error) {
	taken := s.path(uid, takenSuffix)
	if _, err := os.Lstat(taken); err == nil {
		return true, nil
	}
	path := s.path(uid, spoolSuffix)
	f, err := openRegular(path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// The lock waits for a write under way, which is short.
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	if err == nil {
		err = os.Rename(path, taken)
	}
	return err == nil, errors.Join(err, f.Close())
}
