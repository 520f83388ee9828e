package agent

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
)

// Telling is what becomes of an agent that is made to write down, in a file of its
// own, why its model stopped: some keep that from their output and from their record.
type Telling int

// The ways to tell. The zero value is that of an agent that cannot.
const (
	TellsNothing Telling = iota
	// TellsLoudly: it may be seen in its output or exit code, or nobody knows.
	TellsLoudly
	// TellsAside: it says a line or two more on its standard error, and nothing else
	// changes as long as its file can be written to. One that cannot ends it.
	TellsAside
	// TellsSilently: it was seen to change nothing that anybody sees, whatever
	// becomes of the file. It needs nobody's leave.
	TellsSilently
)

// telemetry is how an agent is told to do so. Its zero value cannot be told.
type telemetry struct {
	// prefix is what the names of its variables begin with, folder the directory of
	// its settings in a home or a project, home the variable that names the one in
	// the home; empty for none.
	prefix, folder, home string
	// tells is what becomes of a version of it; that is empty when it is not known.
	tells func(version string) Telling
	// module is the name of the package whose version matters; empty if none does.
	module string
	// ending reads one value: how an answer of the model ended. It is false for any
	// other value, and for answers to an agent's helpers.
	ending func([]byte) (ending, bool)
}

// ending is how one answer of a model ended.
type ending struct {
	session string
	// reasons are the model's own words; none for an answer that did not come.
	reasons []string
}

// Tells says how the agent tells, which depends on the version that the program at
// that absolute path is of.
func (a Agent) Tells(program string) Telling {
	t := a.telemetry
	switch {
	case t.ending == nil:
		return TellsNothing
	case t.module == "":
		return t.tells("")
	default:
		return t.tells(installedVersion(program, t.module))
	}
}

// Telemetry is what the agent has in its environment so that it tells, as KEY=VALUE
// pairs; nil for one that cannot. Nothing goes over a network. LOG_PROMPTS keeps
// prompts out of the file, and nothing else: the arguments of the tools that the model
// calls, with the text of files and with commands, go in.
func (a Agent) Telemetry(file string) []string {
	if a.telemetry.ending == nil {
		return nil
	}
	var env []string
	for _, kv := range [][2]string{{"ENABLED", "true"}, {"TARGET", "local"}, {"OUTFILE", file}, {"LOG_PROMPTS", "false"}} {
		env = append(env, a.telemetry.prefix+kv[0]+"="+kv[1])
	}
	return env
}

// Arranged says whether somebody has arranged the agent's telemetry already, and be
// it by turning it off: in its environment, on its command line or before it, in a file of
// settings or of variables that it would read there, or in one of those for all
// users. What cannot be read arranges nothing; a mere mention does.
func (a Agent) Arranged(in Invocation, p Place, environ, system []string) bool {
	t := a.telemetry
	mentioned := func(w word) bool { return strings.Contains(w.option, "telemetry") }
	if slices.ContainsFunc(in.words, mentioned) || slices.ContainsFunc(slices.Concat(in.launch, environ), t.variable) {
		return true
	}
	home := filepath.Join(p.Home, t.folder)
	if t.home != "" {
		home = p.env(t.home, home)
	}
	settings := append([]string{filepath.Join(home, "settings.json")}, system...)
	variables := []string{filepath.Join(home, ".env"), filepath.Join(p.Home, ".env")}
	for _, dir := range p.dirs() {
		for ; ; dir = filepath.Dir(dir) {
			settings = append(settings, filepath.Join(dir, t.folder, "settings.json"))
			variables = append(variables, filepath.Join(dir, t.folder, ".env"), filepath.Join(dir, ".env"))
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return mentions(settings, "telemetry") || mentions(settings, "OTEL_") || mentions(variables, t.prefix) || mentions(variables, "OTEL_")
}

// mentions says whether a word stands in one of the files.
func mentions(files []string, word string) bool {
	return slices.ContainsFunc(files, func(path string) bool { return bytes.Contains(start(path), []byte(word)) })
}

// variable says whether one KEY=VALUE arranges telemetry.
func (t telemetry) variable(kv string) bool {
	return strings.HasPrefix(kv, t.prefix) || strings.HasPrefix(kv, "OTEL_")
}

// TelemetryReader follows an agent's telemetry as it is written. It belongs to one
// goroutine at a time; Agent.TelemetryReader makes one.
type TelemetryReader struct {
	ending func([]byte) (ending, bool)
	blocks blocks
	// last is how the last answer of each session ended: an agent that the agent
	// starts writes to the same file. The one that was seen first is first.
	last  map[string]ending
	first string
	// sure: where the session's name is not known, the first one is meant.
	sure bool
}

// sessionsMost bounds how many sessions are remembered of one telemetry.
const sessionsMost = 64

// TelemetryReader makes a reader for the telemetry of an invocation. It finds nothing
// for an agent that has none.
func (a Agent) TelemetryReader(in Invocation) *TelemetryReader {
	return &TelemetryReader{ending: a.telemetry.ending, last: map[string]ending{}, sure: in.Mode == ModeHeadless}
}

// Feed takes the next bytes, cut wherever they were cut, and keeps nothing of b.
// Bytes may be missing between two calls.
func (r *TelemetryReader) Feed(b []byte) {
	if r.ending != nil {
		r.blocks.feed(b, r.each)
	}
}

func (r *TelemetryReader) each(b []byte) {
	e, ok := r.ending(b)
	_, known := r.last[e.session]
	if !ok || !known && len(r.last) == sessionsMost {
		return
	}
	if len(r.last) == 0 {
		r.first = e.session
	}
	r.last[e.session] = e
}

// Standing is what has been seen of the session. When its name is not known here, that is
// the first one of an agent that is asked once, and the only one of an agent that can
// be told to begin another. Telemetry only ever speaks of an answer that is not whole: that one
// is whole completes no turn, for the agent may have had more to do.
func (r *TelemetryReader) Standing(session string) Standing {
	if _, known := r.last[session]; !known && (r.sure || len(r.last) == 1) {
		session = r.first
	}
	for _, reason := range r.last[session].reasons {
		if cause := stopped(reason); cause != "" {
			return Standing{Turn: TurnFailed, Cause: cause, Detail: clip("the model stopped before its answer was whole (" + reason + ")"), Session: session}
		}
	}
	return Standing{}
}

// stopped is why a model stopped before its answer was whole, in the words of the
// known protocols; empty for a whole answer, and for a word that nobody knows. That
// there was an error is no reason: the other witnesses know which.
func stopped(reason string) Cause {
	switch strings.ToLower(reason) {
	case "length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded":
		return CauseTruncated
	case "content_filter", "safety", "recitation", "language", "blocklist", "prohibited_content", "spii", "refusal",
		"image_safety", "image_prohibited_content", "image_recitation", "image_other", "no_image",
		"malformed_function_call", "unexpected_tool_call", "too_many_tool_calls", "missing_thought_signature", "malformed_response", "insufficient_system_resource", "abort", "other":
		return CauseAgentError
	default:
		return ""
	}
}
