package agent

import (
	"strings"
	"testing"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"claude -p hello":                                           "claude",
		"/usr/local/bin/claude":                                     "claude",
		"./node_modules/.bin/codex exec hi":                         "codex",
		"env FOO=bar PATH=/a/b gemini -p hi":                        "gemini",
		"env -i -u HOME FOO=/x/y opencode run hi":                   "opencode",
		"npx @google/gemini-cli -p hi":                              "gemini",
		"npx --yes @openai/codex@0.169.0 exec hi":                   "codex",
		"npx -p @anthropic-ai/claude-code claude -p hi":             "claude",
		"bunx opencode-ai@latest run hi":                            "opencode",
		"bun x @qwen-code/qwen-code hi":                             "qwen",
		"pnpm dlx @qwen-code/qwen-code -p hi":                       "qwen",
		"npm exec -- @anthropic-ai/claude-code -p hi":               "claude",
		"yarn dlx @mariozechner/pi-coding-agent -p hi":              "pi",
		"node /opt/node_modules/@anthropic-ai/claude-code/cli.js":   "claude",
		"node --max-old-space-size=8192 /x/node_modules/.bin/codex": "codex",
		"nice -n 5 timeout 60 claude -p hi":                         "claude",
		"sudo -u me env A=1 nohup codex":                            "codex",
		"/opt/codex-x86_64-unknown-linux-musl exec hi":              "codex",
		"claude-2.1.197":                                            "claude",
		"opencode-linux-x64 run hi":                                 "opencode",
		"codex.js exec":                                             "codex",
		"mise exec -- pi -p hi":                                     "pi",
		"":                                                          "",
		"make claude":                                               "",
		"env":                                                       "",
		"env A=1":                                                   "",
		"npx":                                                       "",
		"npx prettier codex":                                        "",
		"npm run codex":                                             "",
		"node server.js":                                            "",
		"sh -c claude":                                              "",
		"claudette -p hi":                                           "",
		"codexify":                                                  "",
		"pip install x":                                             "",
		"generic":                                                   "",
		"timeout":                                                   "",
		"timeout 5":                                                 "",
	} {
		a, ok := ByCommand(strings.Fields(command))
		if a.Name != want || ok != (want != "") || Recognise(strings.Fields(command)) != want {
			t.Errorf("%q is recognised as %q, want %q", command, a.Name, want)
		}
	}
}

func TestByName(t *testing.T) {
	t.Parallel()
	for _, name := range append(Names(), "generic") {
		a, ok := ByName(name)
		if !ok || a.Name != name || a.Stop.Signal == 0 || a.Patience <= 0 || !a.Testifies {
			t.Errorf("%s: %v, %q, stop %v, patience %v", name, ok, a.Name, a.Stop, a.Patience)
		}
	}
	if _, ok := ByName("make"); ok {
		t.Error("make is taken for an agent")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	const id = "01a1fcbd-309d-7091-95df-da43a8eb1acc"
	for _, c := range []struct {
		command  string
		piped    bool
		mode     Mode
		output   Output
		session  string
		resumes  bool
		jsonFlag string
	}{
		{command: "claude", mode: ModeInteractive},
		{command: "claude fix it", piped: true, mode: ModeHeadless},
		{command: "claude -p hi", mode: ModeHeadless},
		{command: "claude -p --output-format stream-json --verbose hi", mode: ModeHeadless, output: OutputLines, jsonFlag: "--output-format stream-json"},
		{command: "claude --output-format=json --print hi", mode: ModeHeadless, output: OutputDocument, jsonFlag: "--output-format json"},
		{command: "claude --session-id " + id + " -p hi", mode: ModeHeadless, session: id},
		{command: "claude -r " + id, mode: ModeInteractive, session: id, resumes: true},
		{command: "claude --resume=" + id + " --fork-session", mode: ModeInteractive, resumes: true},
		{command: "claude -c", mode: ModeInteractive, resumes: true},
		{command: "claude --allowedTools Bash Edit mcp -p hi", mode: ModeHeadless},
		{command: "claude mcp serve", mode: ModeOther},
		{command: "claude --version", mode: ModeOther},

		{command: "codex", mode: ModeInteractive},
		{command: "codex fix it", mode: ModeInteractive},
		{command: "codex exec --json hi", mode: ModeHeadless, output: OutputLines, jsonFlag: "--json"},
		{command: "codex -m gpt exec hi", mode: ModeHeadless},
		{command: "codex e hi", mode: ModeHeadless},
		{command: "codex resume " + id, mode: ModeInteractive, session: id, resumes: true},
		{command: "codex resume --last", mode: ModeInteractive, resumes: true},
		{command: "codex exec --json resume " + id + " go", mode: ModeHeadless, output: OutputLines, session: id, resumes: true, jsonFlag: "--json"},
		{command: "codex fork " + id, mode: ModeInteractive, resumes: true},
		{command: "codex login", mode: ModeOther},

		{command: "gemini", mode: ModeInteractive},
		{command: "gemini hello", mode: ModeInteractive},
		{command: "gemini hello", piped: true, mode: ModeHeadless},
		{command: "gemini -o stream-json -p hi", mode: ModeHeadless, output: OutputLines, jsonFlag: "--output-format stream-json"},
		{command: "gemini --output-format json -p hi", mode: ModeHeadless, output: OutputDocument, jsonFlag: "--output-format json"},
		{command: "gemini -i hi", piped: true, mode: ModeInteractive},
		{command: "gemini --resume latest -p hi", mode: ModeHeadless, resumes: true},
		{command: "gemini -r " + id + " -p hi", mode: ModeHeadless, resumes: true, session: id},
		{command: "gemini extensions list", mode: ModeOther},

		{command: "opencode", mode: ModeInteractive},
		{command: "opencode run --format json hi", mode: ModeHeadless, output: OutputLines, jsonFlag: "--format json"},
		{command: "opencode --print-logs run hi", mode: ModeHeadless},
		{command: "opencode run -s ses_e0341333affe53 hi", mode: ModeHeadless, session: "ses_e0341333affe53", resumes: true},
		{command: "opencode serve", mode: ModeOther},

		{command: "qwen hello", mode: ModeHeadless},
		{command: "qwen", mode: ModeInteractive},
		{command: "qwen -i hello", mode: ModeInteractive},
		{command: "qwen --output-format stream-json -p hi", mode: ModeHeadless, output: OutputLines, jsonFlag: "--output-format stream-json"},

		{command: "pi", mode: ModeInteractive},
		{command: "pi -p hi", mode: ModeHeadless},
		{command: "pi --mode json hi", mode: ModeHeadless, output: OutputLines, jsonFlag: "--mode json"},
		{command: "pi --session " + id + " -p hi", mode: ModeHeadless, session: id, resumes: true},
		{command: "pi --list-models", mode: ModeOther},
	} {
		argv := strings.Fields(c.command)
		a, _ := ByCommand(argv)
		if c.output == "" {
			c.output = OutputText
		}
		in := a.Read(argv, !c.piped)
		if in.Mode != c.mode || in.Output != c.output || in.Session != c.session || in.Resumes != c.resumes || in.OutputFlag != c.jsonFlag {
			t.Errorf("%q (piped %v): %+v", c.command, c.piped, in)
		}
	}
}

func TestReadWithoutRecognising(t *testing.T) {
	t.Parallel()
	a, _ := ByName("codex")
	in := a.Read([]string{"my-codex", "exec", "--json", "hi"}, true)
	if in.Mode != ModeHeadless || in.Output != OutputLines {
		t.Errorf("a command named by its user: %+v", in)
	}
	if in := a.Read(nil, true); in.Mode != ModeInteractive {
		t.Errorf("no command: %+v", in)
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	const id = "01a1fcbd-309d-7091-95df-da43a8eb1acc"
	for command, want := range map[string]string{
		"claude -p --model opus fix it":                       "claude -p --model opus --resume " + id + " GO",
		"npx @anthropic-ai/claude-code -p fix":                "npx @anthropic-ai/claude-code -p --resume " + id + " GO",
		"claude --session-id x -p fix":                        "claude -p --resume " + id + " GO",
		"claude --resume other-session -p fix":                "claude -p --resume " + id + " GO",
		"claude -c --fork-session":                            "claude --resume " + id,
		"claude --allowedTools Bash Edit -- fix it":           "claude --allowedTools Bash Edit --resume " + id,
		"claude -p --no-session-persistence fix":              "",
		"claude mcp list":                                     "",
		"codex fix it":                                        "codex resume " + id,
		"codex -a never exec --json -m gpt fix":               "codex -a never exec --json -m gpt resume " + id + " GO",
		"codex exec resume --last --json go on":               "codex exec --json resume " + id + " GO",
		"codex exec --ephemeral fix":                          "",
		"codex review":                                        "",
		"gemini --yolo -o stream-json -p fix":                 "gemini --yolo -o stream-json --resume " + id + " -p GO",
		"gemini fix":                                          "gemini --resume " + id,
		"gemini --resume latest -i fix":                       "gemini --resume " + id,
		"opencode run --format json -f a.txt fix":             "opencode run --format json --session " + id + " GO",
		"opencode --print-logs run -c fix":                    "opencode run --print-logs --session " + id + " GO",
		"opencode --prompt fix /src":                          "opencode --session " + id + " /src",
		"qwen -o stream-json fix":                             "qwen -o stream-json --resume " + id + " -p GO",
		"pi -p --model m @file fix":                           "pi -p --model m --session " + id + " GO",
		"pi --no-session -p fix":                              "",
		"qwen --no-chat-recording fix":                        "",
		"qwen --chat-recording false -p fix":                  "",
		"qwen --chat-recording -p fix":                        "qwen --chat-recording --resume " + id + " -p GO",
		"env A=1 nice -n 5 /opt/bin/pi --mode json -c fix it": "env A=1 nice -n 5 /opt/bin/pi --mode json --session " + id + " GO",
	} {
		argv := strings.Fields(command)
		a, _ := ByCommand(argv)
		got := strings.Join(a.Resume(a.Read(argv, true), id, "GO"), " ")
		if got != want {
			t.Errorf("%q is resumed by %q, want %q", command, got, want)
		}
		if a.Resume(a.Read(argv, true), "", "GO") != nil {
			t.Errorf("%q is resumed without a session", command)
		}
	}
	generic := Generic()
	if got := generic.Resume(generic.Read([]string{"x"}, true), id, ""); got != nil {
		t.Errorf("an unknown agent is resumed by %q", got)
	}
}

// TestResumeOfNamed: an agent that its user named is resumed where the command takes
// its options, and not where it is a program in which the agent is run.
func TestResumeOfNamed(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"mine -p fix":                   "mine -p --resume ID GO",
		"/opt/claude-beta/mine -p fix":  "/opt/claude-beta/mine -p --resume ID GO",
		"bash -c script":                "",
		"/bin/sh -c script":             "",
		"dash -p script":                "",
		"/usr/local/bin/zsh -lc script": "",
		"ksh script":                    "",
		"fish -c script":                "",
		"env A=1 nice bash -c script":   "",
		"timeout 9 mine -p fix":         "",
		"bash":                          "",
	} {
		a, _ := ByName("claude")
		got := strings.Join(a.Resume(a.Read(strings.Fields(command), false), "ID", "GO"), " ")
		if got != want {
			t.Errorf("%q, named claude, is resumed by %q, want %q", command, got, want)
		}
	}
}

// TestResumeIsUnderstood: what Resume builds is read back as a resumed run of
// that session in the same mode.
func TestResumeIsUnderstood(t *testing.T) {
	t.Parallel()
	const id = "01a1fcbd-309d-7091-95df-da43a8eb1acc"
	for _, command := range []string{
		"claude -p fix", "claude", "codex exec --json fix", "codex", "gemini -p fix", "gemini", "opencode run fix", "opencode",
		"qwen -p fix", "qwen", "pi -p fix", "pi",
	} {
		argv := strings.Fields(command)
		a, _ := ByCommand(argv)
		before := a.Read(argv, true)
		after := a.Read(a.Resume(before, id, ""), true)
		if after.Session != id || !after.Resumes || after.Mode != before.Mode || after.Output != before.Output {
			t.Errorf("%q resumed: %+v", command, after)
		}
	}
}

func TestProgram(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"gemini -p hi":                   "gemini",
		"./bin/gemini":                   "./bin/gemini",
		"mine -p hi":                     "mine",
		"env A=1 nice -n 5 gemini -p hi": "gemini",
		"env PATH=/old gemini":           "",
		"nice env -C /old ./gemini":      "",
		"timeout -k 5 60 /opt/gemini":    "/opt/gemini",
		"npx gemini":                     "",
		"env A=1 npx @google/gemini-cli": "",
		"nice sudo -u nobody gemini":     "",
		"node /opt/bundle/gemini.js":     "",
	} {
		a, _ := ByName("gemini")
		if got := a.Read(strings.Fields(command), true).Program(); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}
