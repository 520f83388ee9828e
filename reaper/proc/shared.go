package proc

import (
	"path/filepath"
	"slices"
	"strings"
)

// SharedDaemon says what a process is when it is one of the servers that programs
// start on demand and share between everybody: whoever happened to start one does
// not own it, and stopping it would end the work of others. args is its argument
// list, as [Args] gives it. What it calls itself proves nothing about whose it is;
// it is only ever a reason to spare a process.
func SharedDaemon(p Process, args []string) (what string, shared bool) {
	argv0 := ""
	if len(args) > 0 {
		argv0 = args[0]
	}
	base := filepath.Base(argv0)
	switch {
	case p.Name == "tmux: server", base == "tmux" && p.TTY == 0 && p.SID == p.PID:
		return "tmux server", true
	case base == "SCREEN":
		return "screen server", true
	case isMux(strings.Join(args, " ")):
		return "shared ssh connection", true
	case strings.HasPrefix(base, "bazel(") || strings.HasPrefix(base, "blaze("):
		return "bazel server", true
	case base == "watchman" && has(args, "--foreground", "--spawned"):
		return "watchman server", true
	case base == "git" || strings.HasPrefix(base, "git-"):
		return gitDaemon(args)
	case isCodexDaemon(args):
		return "codex server", true
	case base == "gpg-agent" || base == "adb" && has(args, "fork-server"):
		return base, true
	default:
		return jvmDaemon(base, args)
	}
}

// isMux says whether a command line is the title that ssh gives to the connection
// others go through.
func isMux(line string) bool {
	return strings.HasPrefix(line, "ssh: ") && strings.HasSuffix(strings.TrimRight(line, " "), "[mux]")
}

// Stays says whether a process is to outlive execution uid, and why: because its
// user said so, or because it serves others as well.
func Stays(p Process, uid string) (reason string, stays bool) {
	if keep, ok, err := LookupEnv(p.PID, EnvKeep); err == nil && ok && (Marker{Keep: keep}).Spared(uid) {
		return "started under ocr-run keep", true
	}
	args, err := Args(p.PID)
	if err != nil {
		return "", false
	}
	// Before it has become its command.
	if len(args) > 1 && filepath.Base(args[0]) == "ocr-run" && args[1] == "keep" {
		return "started under ocr-run keep", true
	}
	what, shared := SharedDaemon(p, args)
	return what + ", which others may use", shared
}

// has says whether one of the words is among the arguments.
func has(args []string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(args, w) })
}

// isCodexDaemon says whether an argument list is that of the server which codex
// starts on demand and shares between its sessions, or of what keeps it current. A
// server that was started for one session has neither word.
func isCodexDaemon(args []string) bool {
	// Installed as a package it is a script, which names the interpreter first.
	named := slices.ContainsFunc(args[:min(len(args), 2)], func(arg string) bool {
		return strings.TrimSuffix(filepath.Base(arg), ".js") == "codex"
	})
	return named && has(args, "app-server") && has(args, "--managed-daemon", "pid-update-loop")
}

// gitDaemon recognises what git leaves running for a repository.
func gitDaemon(args []string) (what string, shared bool) {
	if len(args) == 0 {
		return "", false
	}
	word := strings.TrimPrefix(filepath.Base(args[0]), "git-")
	for i := 1; word == "git" && i < len(args); i++ {
		switch {
		case args[i] == "-c" || args[i] == "-C":
			i++ // its value is no command
		case !strings.HasPrefix(args[i], "-"):
			word = args[i]
		}
	}
	switch word {
	case "maintenance", "gc":
		return "git maintenance", true
	case "fsmonitor--daemon":
		return "git file system monitor", true
	case "credential-cache--daemon":
		return "git credential cache", true
	default:
		return "", false
	}
}

// jvmDaemon recognises build servers by the class they run.
func jvmDaemon(base string, args []string) (what string, shared bool) {
	if base != "java" {
		return "", false
	}
	for _, d := range [][2]string{
		{"org.gradle.launcher.daemon.bootstrap.GradleDaemon", "gradle daemon"},
		{"org.jetbrains.kotlin.daemon.KotlinCompileDaemon", "kotlin daemon"},
	} {
		if slices.Contains(args, d[0]) {
			return d[1], true
		}
	}
	return "", false
}
