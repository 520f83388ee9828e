package supervisor

import (
	"os"
	"strings"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
)

// EnvUID names the execution in the environment of everything it starts.
const EnvUID = proc.EnvUID

// EnvLineage is root/parent/self, the uids of the executions a process is part
// of, so that nested runs can be told apart.
const EnvLineage = proc.EnvLineage

// EnvHostUID is what Open Code Review reads to link a workflow to a row.
const EnvHostUID = "OCR_DASHBOARD_EXECUTION_UID"

// AsFound runs start, which starts a program of the user's, or becomes it: with what this
// process was started with, where it runs otherwise itself (package entry).
func AsFound(start func() error) error { return entry.AsFound(false, start) }

// envAskAt names the terminal where gpg has its agent ask for passphrases.
const envAskAt = "GPG_TTY"

// environment is the environment of the command. The agent of gpg is none of the run: were
// it to ask at the user's own terminal while we read from that, what is typed would be
// divided. A run behind its terminal leaves that alone, and is not seen to be asked.
func (r *run) environment() []string {
	if r.pair == nil || !r.plan.front {
		return r.cfg.Env
	}
	return asksInside(r.cfg.Env, r.pair.Name, r.namesTerminal)
}

// namesTerminal says whether a path names what one of our descriptors on the inner terminal
// was before.
func (r *run) namesTerminal(path string) bool {
	there, err := os.Stat(path)
	for i, f := range r.files() {
		if info, unknown := f.Stat(); err == nil && unknown == nil && r.plan.onPair[i] && os.SameFile(info, there) {
			return true
		}
	}
	return false
}

// asksInside is an environment that names the inner terminal where it named the user's.
func asksInside(env []string, inner string, users func(name string) bool) []string {
	out := make([]string, len(env))
	for i, kv := range env {
		if name, has := strings.CutPrefix(kv, envAskAt+"="); has && users(name) {
			kv = envAskAt + "=" + inner
		}
		out[i] = kv
	}
	return out
}
