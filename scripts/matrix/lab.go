package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// lab is the world of one cell: a directory, an environment, and everything started in them.
type lab struct {
	w      wrapper
	dir    string
	marker string
	self   string // this program, for its probes
	env    []string

	mu        sync.Mutex
	verdict   verdict
	detail    string
	terminals []*ptytest.Terminal
	undo      []func()
	own       map[int]bool // started here, waited for here
}

func newLab(c cell, w wrapper) (*lab, error) {
	dir, err := os.MkdirTemp("", "matrix-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	l := &lab{w: w, dir: dir, marker: rand.Text(), self: self, own: map[int]bool{}}
	for _, name := range []string{"home", "state", "tmp"} {
		if err := os.Mkdir(l.path(name), 0o755); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", c.name, err)
		}
	}
	// A small environment of our own, so that two machines run the same cells.
	l.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + l.path("home"), "XDG_STATE_HOME=" + l.path("state"), "TMPDIR=" + l.path("tmp"), "D=" + dir, "SHELL=/bin/sh",
		"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
	}
	return l, nil
}

// path is a file in the cell's directory; scripts see the directory as $D.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// record keeps the first verdict that is not a pass.
func (l *lab) record(v verdict, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.verdict == "" || l.verdict == pass {
		l.verdict, l.detail = v, detail
	}
}

func (l *lab) result() result {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.verdict == "" {
		l.verdict = pass
	}
	return result{Verdict: l.verdict, Detail: clip(strings.ToValidUTF8(strings.Join(strings.Fields(l.detail), " "), "?"))}
}

// clip keeps the end of a long detail: what the terminal showed last tells most.
func clip(text string) string {
	const most, head = 400, 120
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:head]) + " … " + string(letters[len(letters)-most+head:])
}

// note is shown with a pass.
func (l *lab) note(format string, args ...any) { l.record(pass, fmt.Sprintf(format, args...)) }

// fatalf fails the cell and ends it.
func (l *lab) fatalf(format string, args ...any) {
	l.record(fail, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// skipf ends a cell that cannot be made here.
func (l *lab) skipf(format string, args ...any) {
	l.record(skip, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (l *lab) must(err error) {
	if err != nil {
		l.fatalf("%v", err)
	}
}

func (l *lab) want(ok bool, format string, args ...any) {
	if !ok {
		l.fatalf(format, args...)
	}
}

// later is run by the cleanup, last first, after all processes are dead.
func (l *lab) later(undo func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undo = append(l.undo, undo)
}

func (l *lab) write(name, text string) { l.must(os.WriteFile(l.path(name), []byte(text), 0o644)) }

func (l *lab) read(name string) string {
	text, err := os.ReadFile(l.path(name))
	l.must(err)
	return string(text)
}

// number waits until a file holds a line with a number, as probes and scripts write their process id.
func (l *lab) number(name string) int {
	var n int
	l.until(startLimit, "a number in "+name, func() bool {
		text, err := os.ReadFile(l.path(name))
		if err != nil || !strings.HasSuffix(string(text), "\n") {
			return false
		}
		n, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	return n
}

// clean kills everything the cell started, waits for its goroutine, and removes its directory.
func (l *lab) clean(done <-chan struct{}) error {
	errs := []error{l.killAll()}
	l.mu.Lock()
	terminals, undo := l.terminals, l.undo
	l.mu.Unlock()
	for _, t := range terminals {
		errs = append(errs, t.Close())
	}
	if !closesWithin(done, startLimit) {
		errs = append(errs, errors.New("the cell itself does not end"))
	}
	for _, f := range slices.Backward(undo) {
		f()
	}
	return errors.Join(append(errs, l.killAll(), os.RemoveAll(l.dir))...)
}
