package main

import (
	"os"
	"path/filepath"
)

// mode is how an agent is used.
type mode string

const (
	modeText   mode = "text"   // one question, answered as text on a terminal
	modeJSON   mode = "json"   // one question, answered as JSON into a pipe
	modeScreen mode = "screen" // a conversation, full-screen
	modePiped  mode = "piped"  // one question, answered as text into a pipe
)

// subject is an agent that is measured.
type subject struct {
	name, bin string
	// packages lists what to install, in the order it is tried.
	packages []string
	// env is what it has in its environment beside what all have.
	env func(b bench) []string
	// files are its settings, relative to its home.
	files func(b bench) map[string]string
	// args are its arguments in each mode.
	args func(m mode) []string
	// leave are the keys that end its full-screen program.
	leave string
	// slow is true when its own patience with a dead server cannot be shortened.
	slow bool
}

// bench is the world of one run.
type bench struct {
	dir, url string
}

func (b bench) home() string { return filepath.Join(b.dir, "home") }
func (b bench) repo() string { return filepath.Join(b.dir, "repo") }

// prompt is what every agent is asked.
const prompt = "Please refactor the repository and run the tests."

// subjects lists the agents. Their retries are shortened where they can be: what an agent does after the last one is of interest.
func subjects() []subject {
	return []subject{claude(), codex(), geminiCLI(), opencode(), qwen(), pi()}
}

func claude() subject {
	return subject{
		name: "claude", bin: "claude", packages: []string{"@anthropic-ai/claude-code@latest"},
		env: func(b bench) []string {
			return []string{
				"ANTHROPIC_BASE_URL=" + b.url, "ANTHROPIC_API_KEY=sk-ant-dummy", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
				"DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_MAX_RETRIES=2",
			}
		},
		files: func(b bench) map[string]string {
			return map[string]string{".claude.json": text(object{
				"hasCompletedOnboarding": true, "theme": "dark", "lastOnboardingVersion": "9.9.9",
				"customApiKeyResponses": object{"approved": []string{"sk-ant-dummy"}, "rejected": []string{}},
				"projects":              object{b.repo(): object{"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}},
			})}
		},
		args: func(m mode) []string {
			switch m {
			case modeText, modePiped:
				return []string{"-p", prompt, "--allowedTools", "Bash"}
			case modeJSON:
				return []string{"-p", prompt, "--output-format", "stream-json", "--verbose", "--allowedTools", "Bash"}
			default:
				return []string{prompt, "--allowedTools", "Bash"}
			}
		},
		leave: "/exit",
	}
}

func codex() subject {
	return subject{
		name: "codex", bin: "codex", packages: []string{"@openai/codex@latest"},
		env: func(bench) []string { return []string{"MOCK_KEY=dummy"} },
		files: func(b bench) map[string]string {
			return map[string]string{".codex/config.toml": `model = "mock-1"
model_provider = "mock"
check_for_update_on_startup = false
[model_providers.mock]
name = "mock"
base_url = "` + b.url + `/v1"
wire_api = "responses"
env_key = "MOCK_KEY"
request_max_retries = 1
stream_max_retries = 2
[projects."` + b.repo() + `"]
trust_level = "trusted"
`}
		},
		args: func(m mode) []string {
			const free = "--dangerously-bypass-approvals-and-sandbox"
			switch m {
			case modeText, modePiped:
				return []string{"exec", free, prompt}
			case modeJSON:
				return []string{"exec", free, "--json", prompt}
			default:
				return []string{free, prompt}
			}
		},
		leave: "/quit",
	}
}

func geminiCLI() subject {
	return subject{
		name: "gemini", bin: "gemini", packages: []string{"@google/gemini-cli@latest"},
		env: func(b bench) []string { return []string{"GOOGLE_GEMINI_BASE_URL=" + b.url, "GEMINI_API_KEY=dummy"} },
		files: func(bench) map[string]string {
			return map[string]string{".gemini/settings.json": text(object{
				"security": object{"auth": object{"selectedType": "gemini-api-key"}}, "privacy": object{"usageStatisticsEnabled": false},
				"general": object{"disableAutoUpdate": true, "disableUpdateNag": true, "enableAutoUpdate": false, "maxAttempts": 2},
			})}
		},
		args: func(m mode) []string {
			common := []string{"-m", "gemini-2.5-pro", "--yolo", "--skip-trust"}
			switch m {
			case modeText, modePiped:
				return append(common, "-p", prompt)
			case modeJSON:
				return append(common, "-o", "stream-json", "-p", prompt)
			default:
				return append(common, "-i", prompt)
			}
		},
		leave: "/quit",
	}
}

func opencode() subject {
	return subject{
		name: "opencode", bin: "opencode", packages: []string{"opencode-ai@latest"}, slow: true,
		env: func(bench) []string {
			return []string{"OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_LSP_DOWNLOAD=1", "OPENCODE_DISABLE_AUTOUPDATE=1"}
		},
		files: func(b bench) map[string]string {
			return map[string]string{".config/opencode/opencode.json": text(object{
				"model": "mock/mock-1", "small_model": "mock/mock-1", "autoupdate": false, "share": "disabled",
				"provider": object{"mock": object{
					"npm": "@ai-sdk/openai-compatible", "name": "mock", "options": object{"baseURL": b.url + "/v1", "apiKey": "x"},
					"models": object{"mock-1": object{"name": "mock-1"}},
				}},
			})}
		},
		args: func(m mode) []string {
			switch m {
			case modeText, modePiped:
				return []string{"run", prompt}
			case modeJSON:
				return []string{"run", "--format", "json", prompt}
			default:
				return []string{"--prompt", prompt}
			}
		},
		leave: ctrlC,
	}
}

func qwen() subject {
	return subject{
		name: "qwen", bin: "qwen", packages: []string{"@qwen-code/qwen-code@latest"},
		env: func(b bench) []string {
			return []string{"OPENAI_BASE_URL=" + b.url + "/v1", "OPENAI_API_KEY=x", "OPENAI_MODEL=mock-1"}
		},
		files: func(bench) map[string]string {
			return map[string]string{".qwen/settings.json": text(object{
				"security": object{"auth": object{"selectedType": "openai"}, "folderTrust": object{"enabled": false}},
				"general":  object{"disableAutoUpdate": true, "disableUpdateNag": true, "enableAutoUpdate": false},
				"privacy":  object{"usageStatisticsEnabled": false}, "$version": 3,
				"model": object{"name": "mock-1", "generationConfig": object{"maxRetries": 1}},
			})}
		},
		args: func(m mode) []string {
			switch m {
			case modeText, modePiped:
				return []string{"--yolo", "-p", prompt}
			case modeJSON:
				return []string{"--yolo", "-o", "stream-json", "-p", prompt}
			default:
				return []string{"--yolo", "-i", prompt}
			}
		},
		leave: "/quit",
	}
}

func pi() subject {
	return subject{
		name: "pi", bin: "pi",
		packages: []string{"@earendil-works/pi-coding-agent@latest", "@earendil-works/pi-coding-agent@<0.99", "@mariozechner/pi-coding-agent@latest"},
		env:      func(bench) []string { return []string{"PI_OFFLINE=1", "PI_SKIP_VERSION_CHECK=1"} },
		files: func(b bench) map[string]string {
			cost := object{"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
			model := object{
				"id": "mock-1", "name": "mock-1", "reasoning": false, "input": []string{"text"},
				"contextWindow": 128000, "maxTokens": 4096, "cost": cost,
			}
			return map[string]string{
				".pi/agent/models.json": text(object{"providers": object{"mock": object{
					"baseUrl": b.url + "/v1", "api": "openai-completions", "apiKey": "x", "models": []any{model},
				}}}),
				".pi/agent/settings.json": text(object{"retry": object{"enabled": true, "maxRetries": 1, "baseDelayMs": 500}, "quietStartup": true}),
			}
		},
		args: func(m mode) []string {
			common := []string{"--provider", "mock", "--model", "mock-1"}
			switch m {
			case modeText, modePiped:
				return append(common, "-p", prompt)
			case modeJSON:
				return append(common, "--mode", "json", prompt)
			default:
				return append(common, prompt)
			}
		},
		leave: "/quit",
	}
}

// settle makes the world of a run: its directories, its repository, the agent's settings.
func (b bench) settle(s subject) error {
	for name, content := range s.files(b) {
		path := filepath.Join(b.home(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}
