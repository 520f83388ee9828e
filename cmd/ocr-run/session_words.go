package main

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// withPlainWords makes a verb refuse, before it does anything, values that would
// not survive being printed: what is written down once is shown for ever, on
// terminals and in lines that programs split.
func withPlainWords(v verb) verb {
	run := v.run
	v.run = func(ctx context.Context, c call) error {
		for _, f := range v.flags {
			// The document's path is opened and kept nowhere.
			if f.value == "" || f.name == "file" {
				continue
			}
			if err := plainWord(c.flags.String(f.name)); err != nil {
				return c.usage("--%s: %q: %w", f.name, c.flags.String(f.name), err)
			}
		}
		return run(ctx, c)
	}
	return v
}

// Reasons a value is not plain.
var (
	errNotText = errors.New("not valid UTF-8")
	errControl = errors.New("holds a control character")
)

// plainWord says why a value would not survive being printed on a line; nil
// when it would.
func plainWord(s string) error {
	if !utf8.ValidString(s) {
		return errNotText
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	}) {
		return errControl
	}
	return nil
}

// maxName bounds the name of a session, which is also that of a directory.
const maxName = 200

// sessionName says why a session cannot be called that; nil when it can. Its
// directory is named after it unless it has one of its own.
func sessionName(id string, ownDirectory bool) error {
	switch {
	case len(id) > maxName:
		return errors.New("longer than 200 bytes")
	case ownDirectory:
		return nil
	case id == "." || id == "..":
		return errors.New("not the name of a directory")
	case strings.ContainsRune(id, '/'):
		return errors.New("holds a slash; write - instead, or name a --session-dir")
	}
	return nil
}
