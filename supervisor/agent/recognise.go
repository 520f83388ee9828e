package agent

import (
	"path/filepath"
	"slices"
	"strings"
)

// Recognise names the agent a command starts, as ByCommand finds it; it is empty
// for any other command.
func Recognise(argv []string) string {
	a, _ := ByCommand(argv)
	return a.Name
}

// ByCommand finds the agent a command starts: by name, by path, through the
// usual launchers (env, npx, nice, node with a script, …), and under a versioned
// name. It is false for any other command.
func ByCommand(argv []string) (Agent, bool) {
	for _, a := range All() {
		if at := a.find(argv); at > 0 && named(a, argv[at-1]) {
			return a, true
		}
	}
	return Agent{}, false
}

// find is where the agent's own arguments begin in argv. A command the agent was
// named for by its user, but not recognised in, begins behind its first word.
func (a Agent) find(argv []string) int {
	at := 0
	for range argv {
		if at >= len(argv) {
			break
		}
		if named(a, argv[at]) {
			return at + 1
		}
		next := launched(argv[at:])
		if next == 0 {
			break
		}
		at += next
	}
	return min(1, len(argv))
}

// launcher is a command that starts another one.
type launcher struct {
	name   string
	verbs  []string // words of its own that must come first, if it has any
	values []string // options that take a value
	words  int      // plain words before the command
}

// launchers lists the commands looked through. A shell is not among them: what
// it is given is a program, not a command.
func launchers() []launcher {
	sudo := []string{"-u", "-g", "-C", "-D", "-h", "-p", "-r", "-t", "-U", "--user", "--group", "--chdir"}
	npm := []string{"-p", "--package", "-c", "--prefix", "-w", "--workspace"}
	return []launcher{
		{name: "env", values: []string{"-u", "--unset", "-C", "--chdir"}},
		{name: "npx", values: npm},
		{name: "bunx", values: npm},
		{name: "pnpx", values: npm},
		{name: "npm", verbs: []string{"exec", "x"}, values: npm},
		{name: "pnpm", verbs: []string{"dlx", "exec"}, values: npm},
		{name: "yarn", verbs: []string{"dlx", "exec", "run"}, values: npm},
		{name: "bun", verbs: []string{"x", "run"}},
		{name: "node", values: []string{"-r", "--require", "--import", "--loader"}},
		{name: "nodejs"},
		{name: "bun"},
		{name: "deno", verbs: []string{"run"}},
		{name: "nice", values: []string{"-n", "--adjustment"}},
		{name: "ionice", values: []string{"-c", "-n", "--class", "--classdata"}},
		{name: "timeout", values: []string{"-s", "-k", "--signal", "--kill-after"}, words: 1},
		{name: "stdbuf", values: []string{"-i", "-o", "-e"}},
		{name: "sudo", values: sudo},
		{name: "doas", values: []string{"-u", "-C"}},
		{name: "systemd-inhibit"},
		{name: "caffeinate", values: []string{"-t", "-w"}},
		{name: "mise", verbs: []string{"exec", "x"}, values: []string{"-C", "--cd"}},
		{name: "direnv", verbs: []string{"exec"}, words: 1},
		{name: "volta", verbs: []string{"run"}},
		{name: "asdf", verbs: []string{"exec"}},
		{name: "nohup"},
		{name: "setsid"},
		{name: "time"},
		{name: "command"},
		{name: "exec"},
	}
}

// shell says whether a word is a shell, which is given a program and no agent's
// options.
func shell(arg string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "zsh", "ksh", "fish"}, bare(strings.TrimPrefix(filepath.Base(arg), "-")))
}

// Program is the agent's own command as the words before it look it up: as ours is. It
// is empty where one of them picks another program by that name (npx), looks elsewhere
// (env with another PATH or directory), or runs it as somebody else (sudo).
func (in Invocation) Program() string {
	plain := []string{"env", "nice", "ionice", "timeout", "stdbuf", "nohup", "setsid", "time"}
	for at := 0; at < len(in.launch)-1; {
		name, next := bare(in.launch[at]), launched(in.launch[at:])
		elsewhere := func(arg string) bool { return strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "PATH=") }
		if next == 0 || !slices.Contains(plain, name) || name == "env" && slices.ContainsFunc(in.launch[at:at+next], elsewhere) {
			return ""
		}
		at += next
	}
	return in.launch[len(in.launch)-1]
}

// launched is where the command begins that argv's first word starts, 0 when it
// starts none.
func launched(argv []string) int {
	name := bare(argv[0])
	for _, l := range launchers() {
		if l.name != name {
			continue
		}
		if at := l.command(argv); at < len(argv) {
			return at
		}
	}
	return 0
}

// command is where the launched command begins; len(argv) when there is none.
func (l launcher) command(argv []string) int {
	at := 1
	if len(l.verbs) > 0 {
		if at >= len(argv) || !slices.Contains(l.verbs, argv[at]) {
			return len(argv)
		}
		at++
	}
	for words := l.words; at < len(argv); at++ {
		switch a := argv[at]; {
		case a == "--":
			return at + 1
		case slices.Contains(l.values, a):
			at++
		case strings.HasPrefix(a, "-"), strings.Contains(a, "=") && !strings.Contains(a, "/"), l.name == "env" && strings.Contains(a, "="):
		case words > 0:
			words--
		default:
			return at
		}
	}
	return len(argv)
}

// named says whether a word of a command line is one of the agent's names.
func named(a Agent, arg string) bool {
	if slices.Contains(a.names, bare(arg)) {
		return true
	}
	// A script inside the agent's package: …/node_modules/@scope/name/dist/cli.js.
	return slices.ContainsFunc(a.names, func(n string) bool {
		return strings.Contains(n, "/") && strings.Contains(filepath.ToSlash(arg), "node_modules/"+n+"/") ||
			strings.HasPrefix(strings.TrimPrefix(arg, "npm:"), n+"@") || strings.TrimPrefix(arg, "npm:") == n
	})
}

// bare is the name a command goes by: without its path, its extension, and a
// version or a platform behind it.
func bare(arg string) string {
	name := arg
	if !strings.HasPrefix(name, "@") {
		name = filepath.Base(name)
	}
	for _, ext := range []string{".exe", ".cmd", ".js", ".mjs", ".cjs"} {
		name = strings.TrimSuffix(name, ext)
	}
	if at := strings.LastIndex(name, "@"); at > 0 {
		name = name[:at]
	}
	for _, sep := range []string{"-v", "-", "_"} {
		if at := strings.Index(name, sep); at > 0 && version(name[at+len(sep):]) {
			return name[:at]
		}
	}
	return name
}

// version says whether s looks like a version or a platform.
func version(s string) bool {
	for _, platform := range []string{"linux", "darwin", "x86_64", "x64", "aarch64", "arm64"} {
		if strings.HasPrefix(s, platform) {
			return true
		}
	}
	return s != "" && s[0] >= '0' && s[0] <= '9'
}
