package hooks

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
)

// Event is one thing a payload says about the agent's session, in the words of
// `ocr-run emit`.
type Event struct {
	Type string
	// Session and Turn are the agent's own names; empty when it gives none.
	Session, Turn string
	// State is the session's state or the turn's result; empty where neither is said.
	State string
	// Detail says more, for a person.
	Detail string
	// ID is the agent's own id for the event, to be applied once; empty when it
	// gives none.
	ID string
}

// The words of `ocr-run emit` that payloads are read as.
const (
	sessionStarted = "session.started"
	sessionState   = "session.state.changed"
	sessionExited  = "session.exited"
	turnRequested  = "turn.requested"
	turnStarted    = "turn.started"
	turnCompleted  = "turn.completed"
	turnAborted    = "turn.aborted"
	runtimeError   = "runtime.error"
	resultFailed   = "failed"
)

// Agents lists the agents whose payloads are understood.
func Agents() []string { return []string{"claude", "codex", "gemini", "opencode", "pi", "qwen"} }

// Events reads a payload of an agent's hook. command is the command line of the
// run, which some payloads cannot be understood without. What is not understood,
// or says nothing about turns, is no event.
func Events(agent string, payload []byte, command []string) []Event {
	switch agent {
	case "claude", "codex", "qwen":
		return claudeEvents(payload)
	case "gemini":
		return geminiEvents(payload, headless(command))
	case "opencode":
		return opencodeEvents(payload)
	case "pi":
		return piEvents(payload)
	default:
		return nil
	}
}

// claudePayload is what Claude Code gives its hooks, and what Codex and Qwen Code
// took over. Codex adds the turn, and has an older notification besides.
type claudePayload struct {
	Event        string          `json:"hook_event_name"`
	Session      string          `json:"session_id"`
	Turn         string          `json:"turn_id"`
	Subagent     string          `json:"agent_id"`
	Notification string          `json:"notification_type"`
	Error        json.RawMessage `json:"error"`
	ErrorDetails json.RawMessage `json:"error_details"`

	Type     string `json:"type"`
	Thread   string `json:"thread-id"`
	OfThread string `json:"turn-id"`
}

// claudeEvents reads a payload of Claude Code's kind. A prompt always asks for a
// new turn: the one before may have been given up, which no hook tells.
func claudeEvents(payload []byte) []Event {
	var p claudePayload
	if json.Unmarshal(payload, &p) != nil || p.Subagent != "" {
		return nil
	}
	if p.Type == "agent-turn-complete" && p.Thread != "" {
		return []Event{{Type: turnCompleted, Session: p.Thread, Turn: p.OfThread}}
	}
	e := Event{Session: p.Session, Turn: p.Turn}
	switch p.Event {
	case "SessionStart":
		return []Event{{Type: sessionStarted, Session: p.Session}}
	case "UserPromptSubmit":
		return []Event{e.as(turnRequested), e.as(turnStarted)}
	case "Stop":
		return []Event{e.as(turnCompleted)}
	case "StopFailure":
		e.State, e.Detail = resultFailed, words(p.Error, p.ErrorDetails)
		return []Event{e.as(turnCompleted)}
	case "PermissionRequest":
		e.State = "waiting"
		return []Event{e.as(sessionState)}
	case "Interrupt":
		return []Event{e.as(turnAborted)}
	case "Notification":
		return e.notified(p.Notification)
	case "SessionEnd":
		return []Event{{Type: sessionExited, Session: p.Session}}
	default:
		return nil
	}
}

// notified reads a notification to the user. An agent that has long been idle at
// its prompt has no turn any more: the user gave it up, which no hook tells.
func (e Event) notified(kind string) []Event {
	switch kind {
	case "idle_prompt":
		return []Event{e.as(turnAborted)}
	case "permission_prompt":
		e.State = "waiting"
		return []Event{e.as(sessionState)}
	default:
		return nil
	}
}

// as is the event with its type.
func (e Event) as(t string) Event {
	e.Type = t
	return e
}

// words is what there is of texts and objects, as one text.
func words(parts ...json.RawMessage) string {
	out := ""
	for _, part := range parts {
		var text string
		if json.Unmarshal(part, &text) != nil {
			text = string(part)
		}
		if text != "" && text != "null" && out != "" {
			out += ": "
		}
		if text != "null" {
			out += text
		}
	}
	return out
}

// geminiEvents reads a payload of Gemini CLI. On its full screen AfterAgent also
// follows turns that failed or were given up: there its turns are left out, for
// nothing is known is better than what is wrong.
func geminiEvents(payload []byte, headless bool) []Event {
	var p claudePayload
	if json.Unmarshal(payload, &p) != nil {
		return nil
	}
	e := Event{Session: p.Session}
	switch {
	case p.Event == "SessionStart":
		return []Event{e.as(sessionStarted)}
	case p.Event == "BeforeAgent" && headless:
		return []Event{e.as(turnRequested), e.as(turnStarted)}
	case p.Event == "AfterAgent" && headless:
		return []Event{e.as(turnCompleted)}
	case p.Event == "SessionEnd":
		return []Event{e.as(sessionExited)}
	default:
		return nil
	}
}

// headless says whether a command runs Gemini CLI without its screen, as far as
// its arguments tell.
func headless(command []string) bool {
	at := slices.IndexFunc(command, func(word string) bool { return filepath.Base(word) == "gemini" })
	if at < 0 {
		return false
	}
	return slices.ContainsFunc(command[at+1:], func(word string) bool {
		return word == "-p" || word == "--prompt" || strings.HasPrefix(word, "--prompt=")
	})
}

// opencodePayload is an event as OpenCode gives it to plugins.
type opencodePayload struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Properties struct {
		Session string `json:"sessionID"`
		Status  struct {
			Type string `json:"type"`
		} `json:"status"`
		Error struct {
			Name string `json:"name"`
			Data struct {
				Message string `json:"message"`
			} `json:"data"`
		} `json:"error"`
		Info struct {
			ID     string `json:"id"`
			Parent string `json:"parentID"`
			Finish string `json:"finish"`
		} `json:"info"`
	} `json:"properties"`
}

// opencodeEvents reads a payload of OpenCode. A session falls idle after a turn
// that failed as well, but the failure is told first, and ends the turn.
func opencodeEvents(payload []byte) []Event {
	var p opencodePayload
	if json.Unmarshal(payload, &p) != nil {
		return nil
	}
	e := Event{Session: p.Properties.Session, ID: p.ID}
	switch {
	case p.Type == "session.created" && p.Properties.Info.Parent == "":
		e.Session = p.Properties.Info.ID
		return []Event{e.as(sessionStarted)}
	case p.Type == "session.status" && p.Properties.Status.Type == "busy":
		return []Event{e.as(turnStarted)}
	case p.Type == "session.idle", p.Type == "session.status" && p.Properties.Status.Type == "idle":
		return []Event{e.as(turnCompleted)}
	case p.Type == "session.error" && p.Properties.Error.Name == "MessageAbortedError":
		return []Event{e.as(turnAborted)}
	case p.Type == "session.error":
		e.Detail = p.Properties.Error.Data.Message
		if e.Detail == "" {
			e.Detail = p.Properties.Error.Name
		}
		return []Event{e.as(runtimeError)}
	case p.Type == "message.updated" && p.Properties.Info.Finish == "length":
		// The message is told again and again; it was cut off once.
		e.ID, e.State, e.Detail = p.Properties.Info.ID, resultFailed, "the answer was cut off"
		return []Event{e.as(turnCompleted)}
	default:
		return nil
	}
}

// piPayload is an event of pi, as its JSON output has it and as our extension
// passes it on.
type piPayload struct {
	Type     string `json:"type"`
	ID       string `json:"id"`
	Session  string `json:"session"`
	Messages []struct {
		Role         string `json:"role"`
		StopReason   string `json:"stopReason"`
		ErrorMessage string `json:"errorMessage"`
	} `json:"messages"`
}

// piEvents reads a payload of pi. After an error it tries again by itself, which
// begins another turn.
func piEvents(payload []byte) []Event {
	var p piPayload
	if json.Unmarshal(payload, &p) != nil {
		return nil
	}
	e := Event{Session: p.Session}
	switch p.Type {
	case "session":
		return []Event{{Type: sessionStarted, Session: p.ID}}
	case "session_start":
		return []Event{e.as(sessionStarted)}
	case "agent_start":
		return []Event{e.as(turnRequested), e.as(turnStarted)}
	case "agent_end":
		return []Event{e.piEnd(p)}
	case "session_shutdown":
		return []Event{e.as(sessionExited)}
	default:
		return nil
	}
}

// piEnd reads why the last message ended.
func (e Event) piEnd(p piPayload) Event {
	for _, m := range slices.Backward(p.Messages) {
		switch {
		case m.Role != "assistant":
		case m.StopReason == "stop":
			return e.as(turnCompleted)
		case m.StopReason == "aborted":
			return e.as(turnAborted)
		default:
			e.State, e.Detail = resultFailed, m.ErrorMessage
			return e.as(turnCompleted)
		}
	}
	e.State = resultFailed
	return e.as(turnCompleted)
}
