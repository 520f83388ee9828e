package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// flagReader reads flag values one by one and remembers the first that makes
// no sense.
type flagReader struct {
	flags flagValues
	err   error
}

// refuse records why a flag's value cannot be used.
func (p *flagReader) refuse(flag, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("--%s: %w", flag, fmt.Errorf(format, args...))
	}
}

// label is a text without control characters, fit for a table.
func (p *flagReader) label(flag string) string {
	v := p.flags.String(flag)
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		p.refuse(flag, "%q holds a control character", v)
	}
	return v
}

// agent is the name of an agent that is known, or the one for all others; empty when
// the flag is.
func (p *flagReader) agent(flag string) string {
	v := p.flags.String(flag)
	if _, known := agent.ByName(v); v != "" && !known {
		p.refuse(flag, "%q is none of %s", v, joined(append(agent.Names(), agent.Generic().Name)))
	}
	return v
}

// oneOf is a value out of a closed list.
func oneOf[S ~string](p *flagReader, flag string, allowed ...S) S {
	v := S(p.flags.String(flag))
	if !slices.Contains(allowed, v) {
		p.refuse(flag, "%q is none of %s", v, joined(allowed))
	}
	return v
}

// duration is a length of time of at least least; 0 when the flag is empty.
func (p *flagReader) duration(flag string, least time.Duration) time.Duration {
	v := p.flags.String(flag)
	if v == "" {
		return 0
	}
	d, err := parseDuration(v)
	switch {
	case err != nil:
		p.refuse(flag, "%w", err)
	case d < least:
		p.refuse(flag, "%s is less than %s", v, least)
	}
	return d
}

// count is a number of times, 0 when the flag is empty.
func (p *flagReader) count(flag string) int {
	v := p.flags.String(flag)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > countMost {
		p.refuse(flag, "%q is no number from 0 to %d", v, countMost)
		return 0
	}
	return n
}

// countMost is the most times anything is done by itself.
const countMost = 1000

// size is a positive number of bytes.
func (p *flagReader) size(flag string) int64 {
	n, err := parseSize(p.flags.String(flag))
	if err != nil {
		p.refuse(flag, "%w", err)
	}
	return n
}

// pairs are KEY=VALUE texts in the order given.
func (p *flagReader) pairs(flag string) []string {
	all := p.flags.StringSlice(flag)
	for _, kv := range all {
		key, _, ok := strings.Cut(kv, "=")
		if !ok || key == "" || strings.ContainsRune(kv, 0) {
			p.refuse(flag, "%q is not KEY=VALUE", kv)
		}
	}
	return all
}

// path is an absolute path, or empty.
func (p *flagReader) path(flag, base string) string {
	v := p.flags.String(flag)
	if v == "" || filepath.IsAbs(v) {
		return v
	}
	return filepath.Join(base, v)
}

// output is the absolute path of a file that can be written to, now or once it is
// made; empty when the flag is. Nothing is made: others may wait for the file.
func (p *flagReader) output(flag, base string) string {
	v := p.path(flag, base)
	switch p.flags.String(flag) {
	case "":
		return v
	case "-":
		p.refuse(flag, "- is no file here; %s", insteadOfDash(flag))
		return v
	}
	if err := writable(v); err != nil && p.err == nil {
		err.thing = "--" + flag
		p.err = err
	}
	return v
}

// insteadOfDash is what somebody may have meant who gave "-" for the file of a flag.
func insteadOfDash(flag string) string {
	switch flag {
	case "receipt":
		return "--json prints the receipt on standard error"
	case "log":
		return "the output goes to standard output as it is"
	default:
		return "./- is a file of that name"
	}
}

// writable says why a file cannot be written to, with the next step; nil when it can,
// as far as can be seen without doing so.
func writable(path string) *verbError {
	dir := filepath.Dir(path)
	look := func(words ...string) string { return render.CommandLine(words) }
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return &verbError{err: fmt.Errorf("%s is a directory", path), try: "name a file in it"}
	case err == nil:
		if err := unix.Access(path, unix.W_OK); err != nil {
			return &verbError{err: fmt.Errorf("write %s: %w", path, err), try: look("ls", "-l", path)}
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return &verbError{err: err, try: look("ls", "-ld", dir)}
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return &verbError{err: fmt.Errorf("the directory %s does not exist", dir), try: look("mkdir", "-p", dir)}
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &verbError{err: fmt.Errorf("make a file in %s: %w", dir, err), try: look("ls", "-ld", dir)}
	}
	return nil
}

// directory is the absolute path of a directory that can be entered, base by default.
func (p *flagReader) directory(flag, base string) string {
	v := p.path(flag, base)
	if v == "" {
		return base
	}
	info, err := os.Stat(v)
	if err != nil {
		p.refuse(flag, "%w", err)
	} else if !info.IsDir() {
		p.refuse(flag, "%s is not a directory", v)
	} else if err := unix.Access(v, unix.X_OK); err != nil {
		p.refuse(flag, "enter %s: %w", v, err)
	}
	return v
}

// positive is a whole number of at least 1; 0 when the flag is empty.
func (p *flagReader) positive(flag string) int {
	v := p.flags.String(flag)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		p.refuse(flag, "%q is no number of at least 1", v)
	}
	return n
}
