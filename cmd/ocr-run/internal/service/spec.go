package service

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Manager is what starts services for a user.
type Manager string

// The managers.
const (
	Systemd Manager = "systemd"
	Launchd Manager = "launchd"
)

// Managers lists them.
func Managers() []Manager { return []Manager{Systemd, Launchd} }

// Spec is the service of one user for one ledger. All paths are absolute.
type Spec struct {
	Manager Manager
	// Binary is ocr-run.
	Binary string
	// StateHome is the directory whose "ocr-run" holds the ledger: what
	// XDG_STATE_HOME is to the service.
	StateHome string
	// Home is the user's home directory.
	Home string
	// ConfigHome is where systemd looks for "systemd/user"; empty for .config in
	// Home.
	ConfigHome string
	// Path is the PATH that examples give to their commands; empty for none.
	Path string
	// UID is the user's number, which names launchd's domains.
	UID int
}

// unitName is the name of the units for the ledger where it belongs.
const unitName = "ocr-run-reap"

// labelPrefix makes a unit's name a label for launchd.
const labelPrefix = "com.github."

// Name is the name of the units, without their endings. A ledger elsewhere than in
// the usual place has units of its own, named by its place.
func (s Spec) Name() string {
	if s.usual() {
		return unitName
	}
	sum := sha256.Sum256([]byte(filepath.Clean(s.StateHome)))
	return unitName + "-" + hex.EncodeToString(sum[:4])
}

// Label is Name as launchd wants it.
func (s Spec) Label() string { return labelPrefix + s.Name() }

// usual says whether the ledger is where it is without XDG_STATE_HOME.
func (s Spec) usual() bool {
	return filepath.Clean(s.StateHome) == filepath.Join(s.Home, ".local", "state")
}

// Ledger is the directory of the ledger.
func (s Spec) Ledger() string { return filepath.Join(s.StateHome, "ocr-run") }

// Check says why the manager cannot be told this; nil when it can.
func (s Spec) Check() error {
	for _, path := range []string{s.Binary, s.StateHome, s.Home} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%q is not an absolute path", path)
		}
	}
	for _, text := range []string{s.Binary, s.StateHome, s.Home, s.Path} {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, breaks) {
			return fmt.Errorf("%q has characters that %s does not take", text, s.Manager)
		}
	}
	if s.Manager == Systemd && strings.ContainsAny(s.Binary, `"'\`) {
		return fmt.Errorf("%q: %w", s.Binary, errQuotes)
	}
	return nil
}

// errQuotes: systemd checks the path of a program for such characters.
var errQuotes = errors.New("systemd starts no program whose path has quotes or backslashes")

// breaks says whether a character would end or break a line, or is forbidden in
// XML.
func breaks(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufffe' || r == '\uffff'
}
