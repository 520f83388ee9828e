package supervisor

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// leaveWindow is how long before its end a key counts as what a full-screen agent
// was left with. Agents were measured to end within two seconds of it; on a busy
// machine it takes longer.
const leaveWindow = 5 * time.Second

// leaves says whether typing b can make a full-screen program end, or a turn of it: a
// line that was entered, ^C, ^D or Escape, also in the longer forms that a terminal sends
// where a program wants to tell all keys apart. What a terminal says by itself is none of
// these.
func leaves(b []byte) bool {
	if bytes.ContainsAny(b, "\r\x03\x04") || bytes.HasSuffix(b, []byte("\x1b")) {
		return true
	}
	for {
		_, after, found := bytes.Cut(b, []byte("\x1b["))
		end := bytes.IndexFunc(after, func(r rune) bool { return r >= '@' && r <= '~' })
		if !found || end < 0 {
			return false
		}
		if leavingKey(strings.Split(string(after[:end]), ";"), after[end]) {
			return true
		}
		b = after[end:]
	}
}

// Modifiers of a key, less the 1 that is added to their sum.
const (
	modCtrl  = 4
	modLocks = 64 | 128 // caps lock and num lock, which change nothing about a key
)

// leavingKey reads a key with its parameters: "key;modifiers u", where the key can
// have others beside it for other layouts and the modifiers what happened to it, or
// "27;modifiers;key ~". That it was let go is no news.
func leavingKey(params []string, final byte) bool {
	switch {
	case final == '~' && len(params) == 3 && params[0] == "27":
		params = []string{params[2], params[1]}
	case final != 'u':
		return false
	}
	mods, event := "1", ""
	if len(params) > 1 {
		mods, event, _ = strings.Cut(params[1], ":")
	}
	held, err := strconv.Atoi(mods)
	if err != nil || event == "3" {
		return false
	}
	is := func(codes ...string) bool {
		return slices.ContainsFunc(strings.Split(params[0], ":"), func(code string) bool { return slices.Contains(codes, code) })
	}
	switch (held - 1) &^ modLocks {
	case 0:
		return is("13", "27")
	case modCtrl:
		return is("99", "100", "67", "68")
	}
	return false
}

// clearUser takes back that the user interrupted the last turn of a full-screen
// agent, where nothing was ever typed that could: agents say so of any signal.
func (r *run) clearUser(e *store.Ending) {
	if r.relay == nil || r.cfg.Agent == "" || r.cfg.Headless || e.StoppedBy != lifecycle.StoppedByNobody || r.keyed.Load() != 0 {
		return
	}
	for i, ev := range e.Evidence {
		if ev.Points == lifecycle.CauseUser && ev.TurnFailed {
			e.Evidence[i].Points, e.Evidence[i].TurnFailed, e.Evidence[i].Turn = "", false, lifecycle.TurnInterrupted
		}
	}
}

// noteLeft keeps as evidence that a person left a full-screen agent, where it ended
// by itself in the middle of a turn and nothing else says why.
func (r *run) noteLeft(e *store.Ending) {
	conversed := r.cfg.Agent != "" && !r.cfg.Headless && e.StoppedBy == lifecycle.StoppedByNobody
	key := time.Duration(r.keyed.Load())
	before := r.exitAt.Awake - key // below 0 for a key that is meant for whatever comes next
	if !conversed || key == 0 || before < 0 || before > leaveWindow || !leftOpen(*e) {
		return
	}
	e.Evidence = append(e.Evidence, lifecycle.Evidence{
		Source: lifecycle.SourceOwnAct, AtMS: r.cfg.Clock.Now().Wall.UnixMilli(), Points: lifecycle.CauseUser,
		Detail: "it was left from the keyboard in the middle of a turn",
	})
}

// leftOpen says whether an end with exit 0 came in the middle of a turn, for no
// reason that is known.
func leftOpen(e store.Ending) bool {
	known := func(e lifecycle.Evidence) bool {
		return e.Points != "" || e.TurnFailed || e.Turn == lifecycle.TurnCompleted
	}
	open := func(e lifecycle.Evidence) bool { return e.Turn == lifecycle.TurnInterrupted }
	return e.ExitCode != nil && *e.ExitCode == 0 && !slices.ContainsFunc(e.Evidence, known) && slices.ContainsFunc(e.Evidence, open)
}
