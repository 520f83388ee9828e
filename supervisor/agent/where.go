package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// goTo takes in that the agent is to work in dir, seen from where it was to so far.
func (in *Invocation) goTo(dir string) {
	if filepath.IsAbs(dir) {
		in.Dir = dir
	} else if dir != "" {
		in.Dir = filepath.Join(in.Dir, dir)
	}
}

// noteDir takes in where the words before the agent's own and its options have it work.
func (in *Invocation) noteDir(s syntax) {
	moves := map[string][]string{"env": {"-C", "--chdir"}, "sudo": {"-D", "--chdir"}, "mise": {"-C", "--cd"}}
	for at := 0; at < len(in.launch)-1; {
		next := launched(in.launch[at:])
		if next == 0 {
			break
		}
		if options := moves[bare(in.launch[at])]; options != nil {
			in.goTo(dirIn(in.launch[at+1:at+next], options))
		}
		at += next
	}
	in.goTo(in.value(s.dir...))
}

// dirIn is the value last given to one of the options; a short one may have it attached.
func dirIn(args, options []string) (dir string) {
	for i, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case !slices.Contains(options, name) && strings.HasPrefix(arg, options[0]):
			dir = arg[len(options[0]):]
		case !slices.Contains(options, name):
		case joined:
			dir = value
		case i+1 < len(args):
			dir = args[i+1]
		}
	}
	return dir
}

// inTree is the place where the agent works if it makes a worktree of its own: the
// one it was given a name for, or any that it may have made up a name for.
func (p Place) inTree(s syntax, in Invocation) Place {
	if s.trees == "" || !in.has("-w", "--worktree") {
		return p
	}
	p.Dir = filepath.Join(repository(p.Dir), s.trees)
	name := in.value("-w", "--worktree")
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '-' && r != '_' && dashed(string(r)) == "-" }) {
		p.below = true
	} else {
		p.Dir = filepath.Join(p.Dir, name)
	}
	return p
}

// repository is the top of the repository that a directory is in, of the main one if it
// is in a linked worktree; the directory itself outside of any.
func repository(dir string) string {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Lstat(filepath.Join(at, ".git"))
		switch {
		case err == nil && info.Mode().IsRegular():
			link := strings.TrimSpace(strings.TrimPrefix(string(start(filepath.Join(at, ".git"))), "gitdir:"))
			if top, _, linked := strings.Cut(link, "/.git/worktrees/"); linked && filepath.IsAbs(top) {
				return top
			}
			return at
		case err == nil:
			return at
		case at == filepath.Dir(at):
			return dir
		}
	}
}

// is says whether a directory that a history names is the place, or may be.
func (p Place) is(dir string) bool {
	return slices.ContainsFunc(p.dirs(), func(own string) bool {
		return dir == own && !p.below || p.below && strings.HasPrefix(dir, own+"/")
	})
}

// deeper is what the name of a directory like Dir's goes on with, as a pattern.
func (p Place) deeper() string {
	if p.below {
		return "-*"
	}
	return ""
}
