package service

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Here is the manager of this system.
func Here() Manager { return Systemd }

// lingerDir is where logind remembers whose manager runs without a login.
const lingerDir = "/var/lib/systemd/linger"

// Lingers says whether a user's services also run while the user is not logged in;
// known is false where nobody says.
func Lingers(user string) (on, known bool) { return lingersIn(lingerDir, user) }

func lingersIn(dir, user string) (on, known bool) {
	_, err := os.Stat(filepath.Join(dir, user))
	switch {
	case user == "":
		return false, false
	case err == nil:
		return true, true
	default:
		return false, errors.Is(err, fs.ErrNotExist)
	}
}
