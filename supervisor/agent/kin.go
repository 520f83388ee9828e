package agent

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// kin is whose a history is, by what is written in it.
type kin int

// The kinds: it does not say, it is the run's, it is somebody else's.
const (
	kinUnknown kin = iota
	kinOwn
	kinOther
)

// Bounds on texts that are compared, in bytes: of a question its start is, and an
// entry that is longer than textMost may have lost the part that is looked for.
const (
	askMost  = 500
	textMost = 2 << 10
)

// asks lists what the agent is asked on its command line: all its plain words as one
// text, and then each. It is empty when that is not known, or is not what the agent
// writes down: a command of its own, a mention of a file.
func (in Invocation) asks(s syntax) []string {
	words := in.plain()
	if len(words) > 0 && oneOf(words[0], "exec", "e") {
		words = words[1:]
	}
	if len(words) > 0 && oneOf(words[0], "review", "resume", "fork") {
		if words[0] == "review" {
			return nil
		}
		words = words[1:]
	}
	for _, w := range in.words {
		if slices.Contains(s.prompt, w.option) {
			words = append(words, w.value)
		}
	}
	var asks []string
	for _, w := range words {
		if strings.ContainsAny(w, "@") || strings.HasPrefix(w, "/") || strings.HasPrefix(w, "!") || strings.HasPrefix(w, "<") {
			return nil
		}
		if w = plainly(w); w != "" && !oneOf(w, "-", "--", in.Session) {
			asks = append(asks, w)
		}
	}
	if len(asks) == 0 {
		return nil
	}
	whole := strings.Join(asks, " ")
	return slices.Insert(asks, 0, whole[:min(len(whole), askMost)])
}

// plainly is a text without its line breaks and indents, as far as is compared.
func plainly(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), askMost)]
}

// kinship finds out whose a history is: in that of a headless run stands what it was
// asked, and in that of a conversation with a person that it is one. A word of its
// arguments may be no part of the question, and alone tells nothing.
func (r record) kinship(c candidate, in Invocation, asks []string, since time.Time) kin {
	texts, mode := r.asked(c, since)
	switch {
	case in.Mode == ModeInteractive && mode == ModeHeadless:
		return kinOther
	case in.Mode == ModeInteractive && mode == ModeInteractive:
		return kinOwn
	case in.Mode != ModeHeadless || len(asks) == 0 || len(texts) == 0:
		return kinUnknown
	}
	words := asks[1:]
	longest := slices.MaxFunc(words, func(x, y string) int { return cmp.Compare(len(x), len(y)) })
	found := func(ask string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, ask) })
	}
	switch {
	case found(asks[0]), found(longest):
		return kinOwn
	case slices.ContainsFunc(words, found), slices.ContainsFunc(texts, func(text string) bool { return len(text) > textMost }):
		return kinUnknown
	default:
		return kinOther
	}
}

// asked lists what users asked in a history since then, and how the last who did
// converses, where it says.
func (r record) asked(c candidate, since time.Time) (texts []string, mode Mode) {
	from, most := int64(0), int64(headMost)
	if !c.fresh {
		from, most = tailOf(c.path), tailMost
	}
	v := values{junk: from > 0}
	each := func(value []byte) {
		if at := stamp(value); at.IsZero() || !within(at, since) {
			return
		}
		text, how := question(value)
		if text = strings.Join(strings.Fields(text), " "); text != "" && !strings.HasPrefix(text, "<") {
			texts = append(texts, text)
		}
		mode = cmp.Or(how, mode)
	}
	stream(c.path, from, most, func(b []byte) { v.feed(b, each) })
	v.end(each)
	return texts, mode
}

// question reads from one value of any agent's history what a user asks in it, and
// how he converses; empty where it does not say.
func question(b []byte) (text string, mode Mode) {
	var v struct {
		Type, Entrypoint string
		Side             bool `json:"isSidechain"`
		Meta             bool `json:"isMeta"`
		Content          any
		Message          struct {
			Role           string
			Content, Parts any
		}
		Payload struct {
			Type, Message string
			Source        any
			Item          struct {
				Type    string
				Content any
			}
		}
	}
	decode(b, &v)
	source, _ := v.Payload.Source.(string)
	switch {
	case strings.HasPrefix(v.Entrypoint, "sdk"), v.Type == "session_meta" && source == "exec":
		mode = ModeHeadless
	case v.Entrypoint == "cli", v.Type == "session_meta" && source == "cli":
		mode = ModeInteractive
	}
	switch {
	case v.Side || v.Meta:
	case v.Type == "user":
		text = contentText(v.Content) + contentText(v.Message.Content) + contentText(v.Message.Parts)
	case v.Type == "message" && v.Message.Role == "user":
		text = contentText(v.Message.Content)
	case v.Payload.Type == "user_message":
		text = v.Payload.Message
	case v.Payload.Item.Type == "UserMessage":
		text = contentText(v.Payload.Item.Content)
	}
	return text, mode
}
