package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSaying: what a log says last, for a person, whatever writes it.
func TestSaying(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2*sayingMost)
	tests := map[string]struct{ log, text, line string }{
		"empty":    {"", "", ""},
		"plain":    {"one\ntwo\n\n", "two", "two"},
		"progress": {"10 %\r20 %\n", "20 %", "10 %\r20 %"},
		"claude text": {
			`{"type":"system","subtype":"init","model":"m"}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Now I am\nediting."}]}}
`, "Now I am editing.", `{"type":"assistant","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Now I am\nediting."}]}}`,
		},
		"claude tool, and its long result": {
			`{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash","input":{"command":"go test","description":"x"}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"` + long + `"}]}}`, "Bash go test", "",
		},
		"claude result": {`{"type":"result","subtype":"success","result":"All done."}`, "All done.", ""},
		"codex": {
			`{"type":"turn.started"}
{"type":"item.completed","item":{"type":"agent_message","text":"I look."}}
{"type":"turn.completed","usage":{"input_tokens":10}}`, "I look.", "",
		},
		"codex tool":  {`{"type":"item.started","item":{"type":"command_execution","command":"bash -lc 'ls'","status":"in_progress"}}`, "bash -lc 'ls'", ""},
		"codex error": {`{"type":"error","message":"Reconnecting... 1/5"}`, "Reconnecting... 1/5", ""},
		"gemini pieces": {
			`{"type":"message","role":"user","content":"do it"}
{"type":"message","role":"assistant","content":"I will ","delta":true}
{"type":"message","role":"assistant","content":"run it","delta":true}
{"type":"mess`, "I will run it", `{"type":"mess`,
		},
		"gemini tool": {`{"type":"tool_use","tool_name":"run_shell_command","parameters":{"command":"echo hi"}}
{"type":"tool_result","status":"success","output":"hi"}`, "run_shell_command echo hi", ""},
		"opencode":       {`{"type":"text","part":{"type":"text","text":"Hello."}}`, "Hello.", ""},
		"opencode tool":  {`{"type":"tool_use","part":{"tool":"bash","state":{"status":"completed","input":{"command":"ls"}}}}`, "bash ls", ""},
		"opencode error": {`{"type":"error","error":{"name":"APIError","data":{"message":"no"}}}`, "no", ""},
		"pi": {
			`{"type":"tool_execution_start","toolName":"bash","args":{"command":"ls"}}
{"type":"message_end","message":{"role":"toolResult","toolName":"bash","content":[{"type":"text","text":"a b"}]}}`, "bash ls", "",
		},
		"words behind JSON": {`{"type":"turn.started"}` + "\nkilled\n", "killed", "killed"},
		"nothing for people": {`{"type":"turn.started"}
{"type":"turn.completed"}`, "", `{"type":"turn.completed"}`},
		"longer than all that is read": {`{"type":"user","text":"` + strings.Repeat("x", sayingJSON), "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(tt.log), 0o600); err != nil {
				t.Fatal(err)
			}
			text, line := saying(path)
			if text != tt.text || tt.line != "" && line != tt.line {
				t.Errorf("saying() = %q, %q, want %q, %q", text, line, tt.text, tt.line)
			}
		})
	}
	if text, line := saying(filepath.Join(t.TempDir(), "none")); text+line != "" {
		t.Errorf("no log says %q, %q", text, line)
	}
}
