package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/hooks"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

const (
	// telemetrySuffix is what the name of the file ends with that an agent writes its
	// telemetry to; it begins with the run's uid.
	telemetrySuffix = ".telemetry"
	// telemetryKept is how much of what was read may lie in that file, in bytes, where
	// it cannot be taken away at once: an agent that writes on for days fills no disk.
	telemetryKept = 1 << 20
)

// listener reads an agent's telemetry. A nil listener hears nothing. It belongs to
// whom the [glance] belongs to.
type listener struct {
	// path is where the agent finds the file.
	path   string
	file   *os.File
	reader *agent.TelemetryReader
	// at is how far was read, forgotten how much of that is gone from the file.
	at, forgotten int64
}

// listen has the run's agent write down why its model stopped, where that is kept
// from its output and its record, and its user has not arranged its telemetry
// himself.
func (w *wrapping) listen() {
	if w.witness == nil || w.stateDir == "" {
		return
	}
	place := w.placing()
	if place == nil || w.arranged() {
		return
	}
	path := runfile.CompanionPath(w.stateDir, w.uid+telemetrySuffix)
	f, err := place(path)
	if err != nil {
		w.log.Warn().Err(err).Msg("telemetry")
		return
	}
	w.injected.env, w.injected.files = append(w.injected.env, w.witness.agent.Telemetry(path)...), true
	w.witness.telemetry = &listener{path: path, file: f, reader: w.witness.agent.TelemetryReader(w.witness.in)}
}

// placing is how to make the file that the agent is to write to; nil when it is not to
// be asked at all: not one that runs as somebody else, nor where what it has started
// may write on when the file is gone. One that could be seen to tell is asked only
// where no screen tells, and then only with --hooks, or if it is seen to do so on its
// standard error alone and its file can be kept from full disks.
func (w *wrapping) placing() func(path string) (*os.File, error) {
	if elevates(w.command[0]) || w.path == "" || w.opts.leftovers != supervisor.LeftoversStop {
		return nil
	}
	program, err := findCommand(w.witness.in.Program(), w.childEnv(), w.moves())
	if err == nil {
		program = inDir(w.opts.cwd, program)
	}
	how := w.witness.agent.Tells(program)
	seen := how == agent.TellsLoudly || how == agent.TellsAside
	switch {
	case how == agent.TellsSilently, seen && w.opts.hooks && w.witness.headless():
		return placeTelemetry
	case how == agent.TellsAside && w.witness.headless():
		return shelterTelemetry
	default:
		return nil
	}
}

// elevates says whether a command runs another one as somebody else, who could not
// open a file of ours.
func elevates(command string) bool {
	name := filepath.Base(command)
	return name == "sudo" || name == "doas"
}

// placeTelemetry makes the file, in memory where that can be. It must be there before
// the agent is.
func placeTelemetry(path string) (*os.File, error) {
	if f, err := shelterTelemetry(path); err == nil {
		return f, nil
	}
	return diskTelemetry(path)
}

// diskTelemetry makes the file where its path says.
func diskTelemetry(path string) (*os.File, error) {
	if err := runfile.MakeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// shelterTelemetry makes the file in memory, where no disk gets full of it and nothing
// of it outlives us, and has path lead there.
func shelterTelemetry(path string) (*os.File, error) {
	if err := runfile.MakeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := memoryFile(path)
	if err != nil {
		return nil, fmt.Errorf("keep %s in memory: %w", path, err)
	}
	return f, nil
}

// arranged says whether the agent's telemetry is arranged already.
func (w *wrapping) arranged() bool {
	environ := w.plainEnv()
	a := w.witness.agent
	// An agent's own settings for all users are where its defaults for them are.
	var system []string
	if n := hooks.NamesOf(w.agent); n.File != "" {
		settings := strings.Replace(n.File, "DEFAULTS", "SETTINGS", 1)
		path, set := valueIn(environ, settings)
		if !set || path == "" {
			path = filepath.Join(systemSettings(n.File), "settings.json")
		}
		system = []string{path, defaultsFile(n.File, environ)}
	}
	return a.Arranged(w.witness.in, w.place(environ), environ, system)
}

// untold is an environment without what some runs have put there so that their agents
// tell: their files go with them, and are nobody else's.
func untold(environ []string, stateDir, runs string) []string {
	told := func(kv string) bool { return strings.HasSuffix(kv, telemetrySuffix) }
	if stateDir == "" || !slices.ContainsFunc(environ, told) {
		return environ
	}
	for _, a := range agent.All() {
		environ = withoutOurs(environ, a, stateDir, strings.Split(runs, "/"))
	}
	return environ
}

// withoutOurs is an environment without what some runs have put there for an agent's
// telemetry.
func withoutOurs(environ []string, a agent.Agent, stateDir string, runs []string) []string {
	out := environ
	for _, kv := range environ {
		_, path, _ := strings.Cut(kv, "=")
		uid, named := strings.CutSuffix(filepath.Base(path), telemetrySuffix)
		if !named || !slices.Contains(runs, uid) || path != runfile.CompanionPath(stateDir, uid+telemetrySuffix) {
			continue
		}
		given := a.Telemetry(path)
		if !slices.Contains(given, kv) {
			continue // it is another agent's
		}
		out = slices.DeleteFunc(slices.Clone(out), func(kv string) bool { return slices.Contains(given, kv) })
	}
	return out
}

// read reads on, as far as most bytes, and lets go of what was read.
func (l *listener) read(most int64) {
	if l == nil {
		return
	}
	buf := make([]byte, 64<<10)
	for r := io.NewSectionReader(l.file, l.at, most); ; {
		n, err := r.Read(buf)
		l.reader.Feed(buf[:n])
		l.at += int64(n)
		if err != nil {
			break
		}
	}
	l.forget()
}

// forget takes away what was read: there are commands and texts of files in it. Where
// nothing but the whole file can be taken away that waits until it is large, for what
// is appended in between is lost. The agent appends, and so goes on at the start.
func (l *listener) forget() {
	if l.at == l.forgotten || punch(l.file, l.at) {
		l.forgotten = l.at
		return
	}
	if info, err := l.file.Stat(); err == nil && l.at > telemetryKept && info.Size() == l.at && l.file.Truncate(0) == nil {
		l.at = 0
	}
}

// heard is what the telemetry says of the session in the end. The path is taken away
// before what it leads to: it must not lead to another file that we open meanwhile.
func (l *listener) heard(session string) agent.Standing {
	if l == nil {
		return agent.Standing{}
	}
	l.read(outputMost)
	_ = os.Remove(l.path) // with the other files of the run, where that fails
	_ = l.file.Close()
	return l.reader.Standing(session)
}
