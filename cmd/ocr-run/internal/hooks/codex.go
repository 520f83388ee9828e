package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// How long Codex is to let a hook run, in seconds. It lets one at the end of a session
// run for no longer, whatever it is told, and then does not know it for the trusted one.
const (
	codexTimeout    = 10
	codexEndTimeout = 3
)

// codexLayer is the name Codex gives to the settings of its command line.
const codexLayer = "/<session-flags>/config.toml"

// codexHook is one hook on Codex's command line.
type codexHook struct{ event, command string }

// toml is the hook as a value of Codex's settings.
func (h codexHook) toml() string {
	return `[{hooks=[{type="command",command=` + quoted(h.command) + `,timeout=` + strconv.Itoa(h.timeout()) + `}]}]`
}

// timeout is how long it may run, in seconds.
func (h codexHook) timeout() int {
	if h.event == "SessionEnd" {
		return codexEndTimeout
	}
	return codexTimeout
}

// label is the event as Codex spells it where it names hooks.
func (h codexHook) label() string {
	var b strings.Builder
	for i, r := range h.event {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// trust is the entry that has Codex trust this hook: the digest of what it is, in
// JSON with sorted keys.
func (h codexHook) trust() string {
	type handler struct {
		Async   bool   `json:"async"`
		Command string `json:"command"`
		Timeout int    `json:"timeout"`
		Type    string `json:"type"`
	}
	identity, err := json.Marshal(struct {
		Event string    `json:"event_name"`
		Hooks []handler `json:"hooks"`
	}{h.label(), []handler{{Command: h.command, Timeout: h.timeout(), Type: "command"}}})
	if err != nil {
		return "" // strings and numbers always can be encoded
	}
	sum := sha256.Sum256([]byte(plain(identity)))
	return quoted(codexLayer+":"+h.label()+":0:0") + `={trusted_hash="sha256:` + hex.EncodeToString(sum[:]) + `"}`
}

// quoted is a text as TOML and JSON both write it.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return plain(b)
}
