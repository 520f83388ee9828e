package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/supervisor"
)

const (
	// sayingMost bounds what is read of a log to say what a run is doing, in bytes;
	// sayingJSON does where JSON is written to it, whose lines are long.
	sayingMost = 4 << 10
	sayingJSON = 128 << 10
)

// saying is the last thing that a log says. line is its last line as it is, text that
// for a person: of JSON, as agents write it, the last words or the last tool. Both are
// empty where there is none.
func saying(path string) (text, line string) {
	f, err := os.Open(path)
	if err != nil {
		return "", ""
	}
	defer f.Close() //nolint:errcheck // it is only read
	b, whole := ending(f, sayingMost)
	lines := linesOf(b, whole)
	if len(lines) == 0 && !whole || isJSONLine(lines) {
		b, whole = ending(f, sayingJSON)
		lines = linesOf(b, whole)
	}
	if len(lines) == 0 {
		return "", ""
	}
	line = strings.TrimSpace(string(lines[len(lines)-1]))
	if isJSONLine(lines) {
		return lastWords(lines), line
	}
	var tail supervisor.Tail
	tail.Add(b[max(len(b)-sayingMost, 0):])
	shown := strings.Split(strings.TrimSpace(supervisor.ShownText(&tail, 0, 0)), "\n")
	return strings.TrimSpace(shown[len(shown)-1]), line
}

// ending is the end of a file, most bytes at most, and whether that is all of it.
func ending(f *os.File, most int64) (b []byte, whole bool) {
	from := int64(0)
	if info, err := f.Stat(); err == nil {
		from = max(info.Size()-most, 0)
	}
	b, _ = io.ReadAll(io.NewSectionReader(f, from, most)) // what there is will do
	return b, from == 0
}

// linesOf are the lines of the end of a file that are not blank, without the first
// one where it was cut.
func linesOf(b []byte, whole bool) [][]byte {
	lines := bytes.Split(b, []byte("\n"))
	if !whole {
		lines = lines[1:]
	}
	return slices.DeleteFunc(lines, func(l []byte) bool { return len(bytes.TrimSpace(l)) == 0 })
}

// isJSONLine says whether the last line is, or begins, a JSON object.
func isJSONLine(lines [][]byte) bool {
	return len(lines) > 0 && bytes.HasPrefix(bytes.TrimSpace(lines[len(lines)-1]), []byte("{"))
}

// lastWords are the last words among lines of JSON. An answer that is written piece by
// piece is put together.
func lastWords(lines [][]byte) string {
	pieces := ""
	for _, line := range slices.Backward(lines) {
		var v map[string]any
		if json.Unmarshal(line, &v) != nil {
			continue // the last one may still be written
		}
		text := wordsIn(v)
		switch piece := v["delta"] == true; {
		case piece:
			pieces = text + pieces
		case pieces != "":
			return oneLine(pieces)
		case text != "":
			return oneLine(text)
		}
	}
	return oneLine(pieces)
}

// oneLine is a text without line breaks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// wordsIn is what one JSON object of an agent's output has to say to a person: the
// agent's text, the tool it uses and on what, or an error. It knows the shapes of no
// agent in particular: all of them have these words.
func wordsIn(v map[string]any) string {
	for _, who := range []string{"role", "type"} {
		if slices.Contains([]any{"user", "toolResult", "tool_result"}, v[who]) {
			return ""
		}
	}
	if tool := toolIn(v); tool != "" {
		return tool
	}
	for _, key := range []string{"text", "result", "content", "message", "error", "command"} {
		if s, ok := v[key].(string); ok && s != "" {
			return s
		}
	}
	for _, key := range []string{"message", "item", "part", "error", "data"} {
		if inner, ok := v[key].(map[string]any); ok {
			if s := wordsIn(inner); s != "" {
				return s
			}
		}
	}
	content, _ := v["content"].([]any)
	for _, part := range slices.Backward(content) {
		if inner, ok := part.(map[string]any); ok {
			if s := wordsIn(inner); s != "" {
				return s
			}
		}
	}
	return ""
}

// toolIn is the tool that an object says is used, and what on; empty for none.
func toolIn(v map[string]any) string {
	name := firstText(v, "tool_name", "toolName", "tool", "name")
	if name == "" {
		return ""
	}
	args := v
	if state, ok := v["state"].(map[string]any); ok {
		args = state
	}
	for _, key := range []string{"input", "parameters", "args", "arguments"} {
		if on, ok := args[key].(map[string]any); ok {
			return name + " " + firstText(on, "command", "cmd", "file_path", "filePath", "path", "pattern", "query", "url", "description")
		}
	}
	return ""
}

// firstText is the first of several fields that is a text.
func firstText(v map[string]any, keys ...string) string {
	for _, key := range keys {
		if s, ok := v[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}
