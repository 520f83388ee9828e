package agent

import "syscall"

// Generic is any agent nobody knows: it is believed when it says in its JSON, in
// one of the usual shapes, how a turn ended, and when the last thing it wrote is
// an error that names a cause. It is chosen by name and never recognised.
func Generic() Agent {
	return Agent{
		Name:      "generic",
		Stop:      Stop{Signal: syscall.SIGINT, Group: true},
		Patience:  defaultPatience,
		Testifies: true,
		syntax: syntax{
			values: []string{"--output-format", "-o", "--format", "--mode"},
			read:   genericRead,
		},
		value: genericValue,
		text: []rule{
			{saysFailed, inside, "[API Error:", "", ""},
			{saysTold, atStart, "API Error", "", ""},
			{saysTold, atStart, "[ERROR]", "", ""},
			{saysTold, atStart, "ERROR:", "", ""},
			{saysTold, atStart, "Error:", "", ""},
			{saysTold, atStart, "error:", "", ""},
			{saysTold, atStart, "fatal:", "", ""},
			{saysLeft, atStart, "    at ", "", ""},
		},
	}
}

// genericRead looks for the options agents commonly have.
func genericRead(in *Invocation) {
	in.Output = OutputLines // tolerant: what is no JSON is skipped
	if in.has("-p", "--print", "--prompt", "--headless", "--non-interactive") {
		in.Mode = ModeHeadless
	}
	if oneOf(in.value("--output-format", "-o", "--format"), "json") {
		in.Output = OutputDocument
	}
}

// genericValue reads one value of the usual shapes: a typed event, a result with
// a status, a document with a response or an error.
func genericValue(t *track, b []byte) {
	var v struct {
		Type, Subtype, Status, Result, Message string
		Session                                string `json:"session_id"`
		Thread                                 string `json:"thread_id"`
		IsError                                bool   `json:"is_error"`
		Error                                  any
	}
	decode(b, &v)
	t.session(v.Session)
	t.session(v.Thread)
	message := errorText(v.Error)
	if message == "" {
		message = v.Message + v.Result
	}
	switch v.Type {
	case "init", "turn.started", "turn_started", "agent_start", "step_start":
		t.begin()
	case "turn.completed", "turn_completed":
		t.completes()
	case "turn.failed", "turn_failed":
		t.fails(causeOf(message), message)
	case "turn.aborted", "turn_aborted":
		t.interrupted(message)
	case "assistant", "message", "text", "tool_use", "tool_result":
		t.moves()
	case "error":
		t.struggles(causeOf(message), message)
	case "result":
		if v.IsError || v.Error != nil || !oneOf(v.Subtype, "", "success") || !oneOf(v.Status, "", "success", "ok", "completed") {
			t.fails(causeOf(message), message)
		} else {
			t.completes()
		}
	}
}

// errorText is the message of an error: a string, or an object that has one.
func errorText(e any) string {
	switch e := e.(type) {
	case string:
		return e
	case map[string]any:
		for _, key := range []string{"message", "data", "error"} {
			if s := errorText(e[key]); s != "" {
				return s
			}
		}
	}
	return ""
}
