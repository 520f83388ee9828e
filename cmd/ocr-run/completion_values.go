package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// choices are the values that a flag may have, where there are few.
func choices(flag string) []string {
	switch flag {
	case "pty":
		return words(supervisor.PTYAuto, supervisor.PTYAlways, supervisor.PTYNever)
	case "on-hangup":
		return words(supervisor.HangupStop, supervisor.HangupKeep)
	case "leftovers":
		return words(supervisor.LeftoversStop, supervisor.LeftoversKeep, supervisor.LeftoversReport)
	case "heal":
		return words(healNever, healAfterSleep)
	case "awake":
		return words(awakeNever, awakeWorking)
	case "agent":
		return append(agent.Names(), agent.Generic().Name)
	case "outcome":
		return slices.DeleteFunc(words(lifecycle.Outcomes()...), func(o string) bool { return o == string(lifecycle.OutcomeRunning) })
	default:
		return nil
	}
}

// words are texts of a kind as plain ones.
func words[S ~string](all ...S) []string {
	plain := make([]string, 0, len(all))
	for _, w := range all {
		plain = append(plain, string(w))
	}
	return plain
}

// allFlags is every flag of ours once, those of wrapped runs first. A flag that takes a
// value in one verb and none in another is left out.
func allFlags() []flagSpec {
	all, mixed := wrapFlags(), map[string]bool{}
	for _, v := range verbs() {
		for _, f := range v.flags {
			for _, have := range all {
				mixed[f.name] = mixed[f.name] || have.name == f.name && (have.value == "") != (f.value == "")
			}
		}
		all = union(all, v.flags)
	}
	return slices.DeleteFunc(all, func(f flagSpec) bool { return mixed[f.name] })
}

// offers are how a shell offers values: a list of words, files, directories, nothing.
type offers struct{ list, files, directories, nothing string }

// valueFunction is the function of a script that completes the value of the flag $1; it
// fails for a flag without one. The list of o has a verb for the words.
func valueFunction(o offers) string {
	var b strings.Builder
	var files, directories, free []string
	b.WriteString("_ocr_run_value() {\n  case $1 in\n")
	for _, f := range allFlags() {
		name := "--" + f.name
		switch few := choices(f.name); {
		case f.value == "":
		case few != nil:
			fmt.Fprintf(&b, "    %s) "+o.list+" ;;\n", name, strings.Join(few, " "))
		case f.value == "FILE":
			files = append(files, name)
		case f.value == "DIR":
			directories = append(directories, name)
		default:
			free = append(free, name)
		}
	}
	fmt.Fprintf(&b, "    %s) %s ;;\n", strings.Join(files, "|"), o.files)
	fmt.Fprintf(&b, "    %s) %s ;;\n", strings.Join(directories, "|"), o.directories)
	fmt.Fprintf(&b, "    %s) %s ;;\n    *) return 1 ;;\n  esac\n}\n", strings.Join(free, "|"), o.nothing)
	return b.String()
}

// bashValues completes the word $2.
func bashValues() string {
	return valueFunction(offers{
		list:  `COMPREPLY=($(compgen -W '%s' -- "$2"))`,
		files: `COMPREPLY=($(compgen -f -- "$2"))`, directories: `COMPREPLY=($(compgen -d -- "$2"))`,
	})
}

// zshValues completes the word that zsh is at.
func zshValues() string {
	return valueFunction(offers{list: "compadd -- %s", files: "_files", directories: "_files -/", nothing: "_message value"})
}

// fishValue says of a flag that it needs a value, and which ones there are.
func fishValue(f flagSpec) string {
	switch few := choices(f.name); {
	case f.value == "":
		return ""
	case few != nil:
		return " -x -a '" + strings.Join(few, " ") + "'"
	case f.value == "FILE":
		return " -r"
	case f.value == "DIR":
		return " -x -a '(__fish_complete_directories)'"
	default:
		return " -x"
	}
}
