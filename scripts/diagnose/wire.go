package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// answer is what the model is to say: words, or one call of a tool.
type answer struct {
	model  string
	words  []string
	call   *call
	reason reason
	// tokens is how long the server says the answer is; 0 for a few, below 0 when it does not say.
	tokens int
}

// counts is a server's account of tokens: fields that hold what was asked, what was answered, and the sum; nil when it gives none.
func (a answer) counts(in, out, sum string) object {
	const asked, few = 10, 5
	switch said := a.tokens; {
	case said < 0:
		return nil
	case said == 0:
		return object{in: asked, out: few, sum: asked + few}
	default:
		return object{in: asked, out: said, sum: asked + said}
	}
}

// call is a call of one of the agent's tools.
type call struct {
	name string
	args map[string]any
	// raw stands for args where a protocol sends them as text; empty for args themselves.
	raw string
}

// text is the arguments as text.
func (c call) text() string {
	if c.raw != "" {
		return c.raw
	}
	return text(c.args)
}

// reason is why a model's answer ends.
type reason int

const (
	byItself reason = iota
	atLimit
	filtered
)

// pick is the word a protocol has for why the answer ends.
func (a answer) pick(stop, tool, length, filter string) string {
	switch {
	case a.reason == atLimit:
		return length
	case a.reason == filtered:
		return filter
	case a.call != nil:
		return tool
	default:
		return stop
	}
}

// wire is one protocol between agents and models.
type wire struct {
	// answer is a streamed answer in pieces, without and with what ends it.
	answer func(answer) (body, end []string)
	// document is an answer that is not streamed.
	document func(answer) string
	// trouble is the event of an error in a stream.
	trouble func(kind, message string) string
	// failure is the body of an HTTP error.
	failure func(status int, kind, message string) string
}

// request is the part of a request's body that decides about the answer, in any protocol.
type request struct {
	Model  string `json:"model"`
	Stream *bool  `json:"stream"`
	Tools  []tool `json:"tools"`
}

// tool is a tool, a group of tools, or in Gemini's protocol a list of functions.
type tool struct {
	Name      string                  `json:"name"`
	Function  struct{ Name string }   `json:"function"`
	Functions []struct{ Name string } `json:"functionDeclarations"`
	Tools     []tool                  `json:"tools"`
}

// toolNames lists the names of the tools offered.
func toolNames(tools []tool) []string {
	var names []string
	for _, t := range tools {
		for _, name := range []string{t.Name, t.Function.Name} {
			if name != "" {
				names = append(names, name)
			}
		}
		for _, f := range t.Functions {
			names = append(names, f.Name)
		}
		names = append(names, toolNames(t.Tools)...)
	}
	return names
}

// wireOf finds the protocol a path belongs to.
func wireOf(path string) (wire, bool) {
	switch {
	case strings.Contains(path, "/count_tokens"), strings.Contains(path, "countTokens"):
		return wire{}, false
	case strings.HasSuffix(path, "/responses"):
		return responses(), true
	case strings.HasSuffix(path, "/chat/completions"):
		return chat(), true
	case strings.HasSuffix(path, "/messages"):
		return messages(), true
	case strings.Contains(path, "enerateContent"):
		return gemini(), true
	default:
		return wire{}, false
	}
}

type object = map[string]any

// text is JSON on one line. Everything encoded here can be.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// event is a server-sent event with its type inside.
func event(kind string, fields object) string {
	fields["type"] = kind
	return fmt.Sprintf("event: %s\ndata: %s\n\n", kind, text(fields))
}

// data is a server-sent event without a name.
func data(v any) string { return "data: " + text(v) + "\n\n" }

// openaiFailure is the body of an error of OpenAI's protocols.
func openaiFailure(_ int, kind, message string) string {
	return text(object{"error": object{"message": message, "type": kind, "code": kind, "param": nil, "resets_in_seconds": 3600}})
}
