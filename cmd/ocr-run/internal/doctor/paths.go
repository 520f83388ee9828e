package doctor

import (
	"path/filepath"
	"strings"
)

// judgePath: hooks, and agents told to call ocr-run, find it by its name.
func judgePath(f Facts) []Finding {
	p := f.Program
	const looked = "PATH"
	switch {
	case p.Self == "":
		return nil
	case len(p.Found) == 0:
		return []Finding{one(CheckPath, Warn, looked, addToPath(p.Self),
			"ocr-run is not found there, so agents and hooks that call it do nothing; this program is %s", p.Self)}
	case !p.Same[0]:
		return []Finding{one(CheckPath, Warn, looked, addToPath(p.Self), "ocr-run is %s there, and not this program, %s", p.Found[0], p.Self)}
	}
	var others []string
	for i, same := range p.Same {
		if !same {
			others = append(others, p.Found[i])
		}
	}
	if len(others) > 0 {
		return []Finding{one(CheckPath, Note, looked, "", "%s is this program; behind it there is also %s", p.Found[0], strings.Join(others, ", "))}
	}
	return []Finding{ok(CheckPath, looked, "%s is this program", p.Found[0])}
}

// addToPath is the command that lets a program be found first.
func addToPath(self string) string {
	if filepath.Base(self) != "ocr-run" {
		return command("ln", "-s", self, "ocr-run") + "   # in a directory of the PATH"
	}
	return "export PATH=" + quote(filepath.Dir(self)) + `:"$PATH"`
}

// judgeHome: the ledger lies below HOME unless XDG_STATE_HOME says otherwise.
func judgeHome(f Facts) []Finding {
	var found []Finding
	h := f.Home
	moved := filepath.IsAbs(h.StateHome)
	if h.StateHome != "" && !moved {
		found = append(found, one(CheckHome, Warn, "XDG_STATE_HOME", "unset XDG_STATE_HOME", "%q is not absolute and is ignored", h.StateHome))
	}
	return append(found, judgeHomeItself(h, moved))
}

// judgeHomeItself judges HOME; moved says that the ledger does not need it.
func judgeHomeItself(h Home, moved bool) Finding {
	const looked = "HOME"
	mend := "export HOME=" + quote(h.Passwd)
	if h.Passwd == "" {
		mend = "export XDG_STATE_HOME=/an/absolute/directory"
	}
	worst := Error
	if moved {
		worst = Note
	}
	switch {
	case !h.Set || h.Home == "":
		return one(CheckHome, worst, looked, mend, "it is not set%s", orElse(moved, ", and XDG_STATE_HOME is", ", so there is no place for the ledger"))
	case !filepath.IsAbs(h.Home):
		return one(CheckHome, worst, looked, mend, "%q is not absolute and is ignored", h.Home)
	case !h.Exists:
		return one(CheckHome, milder(worst, Warn), looked, command("mkdir", "-p", h.Home), "%s does not exist", h.Home)
	case h.Owner != h.UID && !moved:
		return one(CheckHome, Warn, looked, "sudo -H, or "+mend,
			"%s belongs to user %d, and this is user %d: what is written there may lock its owner out", h.Home, h.Owner, h.UID)
	case h.Passwd != "" && filepath.Clean(h.Passwd) != filepath.Clean(h.Home):
		return one(CheckHome, Note, looked, "", "%s is not the home the system has for %s, which is %s: another ledger", h.Home, h.User, h.Passwd)
	default:
		return ok(CheckHome, looked, "%s", h.Home)
	}
}

// milder is the less bad of a severity that is Note or Error, and another.
func milder(s, other Severity) Severity {
	if s == Note {
		return s
	}
	return other
}

// orElse is one of two words.
func orElse(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}

// judgeState: the directory exists and can be written to, or can be made.
func judgeState(f Facts) []Finding {
	s := f.State
	switch {
	case s.Dir == "":
		return nil
	case !s.IsDir:
		return []Finding{one(CheckState, Error, s.Dir, command("mv", s.Nearest, s.Nearest+".aside"), "%s is no directory", s.Nearest)}
	case s.ReadOnly:
		return []Finding{one(CheckState, Error, s.Dir, "export XDG_STATE_HOME=/a/directory/that/can/be/written/to", "its file system is mounted read-only")}
	case !s.Writable && s.Nearest == s.Dir:
		return []Finding{one(CheckState, Error, s.Dir, command("chmod", "u+rwx", s.Dir), "it cannot be written to")}
	case !s.Writable:
		return []Finding{one(CheckState, Error, s.Dir, command("ls", "-ld", s.Nearest), "it does not exist and cannot be made in %s", s.Nearest)}
	case s.Nearest != s.Dir:
		return []Finding{ok(CheckState, s.Dir, "it does not exist yet; the first run makes it")}
	default:
		return []Finding{ok(CheckState, s.Dir, "it can be written to")}
	}
}

// judgeModes: command lines and what agents said are nobody else's business.
func judgeModes(f Facts) []Finding {
	var found []Finding
	for _, e := range f.State.Entries {
		want, mode := "600", e.Mode.Perm()
		if e.Mode.IsDir() {
			want = "700"
		}
		switch {
		case e.Owner != f.Home.UID:
			found = append(found, one(CheckModes, Warn, e.Path, command("sudo", "chown", f.Home.User, e.Path),
				"it belongs to user %d, and this is user %d", e.Owner, f.Home.UID))
		case mode&0o077 != 0:
			found = append(found, one(CheckModes, Warn, e.Path, command("chmod", want, e.Path), "others may use it: its mode is %04o", mode))
		}
	}
	if len(f.State.Entries) > 0 && len(found) == 0 {
		found = append(found, ok(CheckModes, f.State.Dir, "it and the %d things in it are yours alone", len(f.State.Entries)-1))
	}
	return found
}

// judgeFilesystem: locks and shared memory need a file system of this machine.
func judgeFilesystem(f Facts) []Finding {
	s := f.State
	switch {
	case s.Nearest == "":
		return nil
	case s.Remote:
		return []Finding{one(CheckFilesystem, Warn, s.Dir, "export XDG_STATE_HOME=/a/directory/on/a/local/disk",
			"%s is shared by network: the ledger is slower there, and runs of other machines cannot be judged", orElse(s.Filesystem == "", "its file system", s.Filesystem))}
	default:
		return []Finding{ok(CheckFilesystem, s.Dir, "%s, of this machine", orElse(s.Filesystem == "", "a file system", s.Filesystem))}
	}
}

// Free room below which runs will soon not be recorded, or may not be now. A run needs
// its run file and some pages of the ledger, whose log is folded in at 1 MiB; but logs
// of runs in the background go to the same place, and nothing bounds those.
const (
	littleRoom = 256 << 20
	noRoom     = 4 << 20
)

// judgeDisk: a full disk makes runs degraded.
func judgeDisk(f Facts) []Finding {
	s := f.State
	if s.Nearest == "" || s.Free < 0 {
		return nil
	}
	mend := command("df", "-h", s.Nearest)
	switch {
	case s.Free < noRoom:
		return []Finding{one(CheckDisk, Error, s.Nearest, mend, "%s are free: runs may not be recorded", size(s.Free))}
	case s.Free < littleRoom:
		return []Finding{one(CheckDisk, Warn, s.Nearest, mend, "%s are free", size(s.Free))}
	default:
		return []Finding{ok(CheckDisk, s.Nearest, "%s are free", size(s.Free))}
	}
}
