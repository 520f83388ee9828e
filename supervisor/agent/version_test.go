package agent

import (
	"os"
	"path/filepath"
	"testing"
)

func TestQwenTellsSinceAVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]Telling{
		"":                     TellsLoudly,
		"0.15.10":              TellsNothing,
		"0.23.9":               TellsNothing,
		"0.24.0-nightly.1":     TellsNothing,
		"0.24.0":               TellsSilently,
		"0.24.4":               TellsSilently,
		"0.24.5-preview.2":     TellsSilently,
		"0.24.4+build-7":       TellsSilently,
		"0.100.0":              TellsSilently,
		"1.0.0":                TellsSilently,
		"0.24":                 TellsNothing,
		"v0.24.4":              TellsNothing,
		"0.24.x":               TellsNothing,
		"0.-24.4":              TellsNothing,
		"0.99999999999999.0":   TellsNothing,
		"latest":               TellsNothing,
		"0.0.0-development-24": TellsNothing,
	} {
		if got := qwenTells(version); got != want {
			t.Errorf("%q: %d, want %d", version, got, want)
		}
	}
}

func TestGeminiTellsAsideSinceAVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]Telling{
		"": TellsLoudly, "0.39.9": TellsLoudly, "0.40.0-preview.1": TellsLoudly, "0.40.0": TellsAside, "0.61.0": TellsAside, "1.0.0": TellsAside,
	} {
		if got := geminiTells(version); got != want {
			t.Errorf("%q: %d, want %d", version, got, want)
		}
	}
}

func TestClaudeGivesStopReasonSinceAVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"": false, "1.0.128": false, "2.0.76": false, "2.1.2": false, "2.1.20": false, "2.1.99": false, "2.1.149": false, "2.1.150-beta.1": false,
		"2.1.150": true, "2.1.197": true, "2.1.330": true, "2.1.1000": true, "2.2.0": true, "3.0.0": true, "10.0.0": true, "latest": false,
	} {
		if got := givesStopReason(version); got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}

// The command is a link to a file of the package, or anything else.
func TestInstalledVersion(t *testing.T) {
	t.Parallel()
	const name = "@qwen-code/qwen-code"
	root := t.TempDir()
	for path, text := range map[string]string{
		"package.json":                       `{"name": "above", "version": "9.9.9"}`,
		"lib/" + name + "/package.json":      `{"name": "` + name + `", "version": "0.24.4"}`,
		"lib/" + name + "/dist/package.json": `{"type": "module"}`,
		"lib/" + name + "/dist/cli.js":       "",
		"lib/other/package.json":             `{"name": "other", "version": "0.24.4"}`,
		"lib/other/qwen":                     "",
		"lib/torn/package.json":              `{"name": "` + name + `", "ver`,
		"lib/torn/qwen":                      "",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("lib/"+name+"/dist/cli.js", filepath.Join(root, "qwen")); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{"qwen": "0.24.4", "lib/" + name + "/dist/cli.js": "0.24.4", "lib/other/qwen": "", "lib/torn/qwen": "", "missing": ""} {
		if got := installedVersion(filepath.Join(root, program), name); got != want {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
	}
	if got := installedVersion("qwen", name); got != "" {
		t.Errorf("a path that begins nowhere: %q", got)
	}
}
