package main

import "strings"

// commandLine is an argument vector taken apart before any flag library sees
// it. Exactly one of verb and command is set, or neither when there were only
// flags.
type commandLine struct {
	// flags are our own flags with their values in front of the verb or the
	// command, in order.
	flags []string
	// verb is the verb that was called, and rest all other words, flags included.
	verb string
	rest []string
	// command is the command to wrap, word for word.
	command []string
}

// split takes an argument vector apart: ocr-run [flags] [--] CMD [ARG…], or
// ocr-run VERB …. The first word that is neither a flag nor a flag's value is
// the verb or the command; after "--" it is the command whatever it is called.
// takesValue says whether a flag, named without dashes, takes the next word.
// A flag in front of a verb is handed to the verb.
func split(args []string, takesValue, isVerb func(word string) bool) commandLine {
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			return commandLine{flags: args[:i:i], command: args[i+1:]}
		case !isFlag(word) && isVerb(word):
			return commandLine{flags: args[:i:i], verb: word, rest: append(args[:i:i], args[i+1:]...)}
		case !isFlag(word):
			return commandLine{flags: args[:i:i], command: args[i:]}
		case wantsNext(word, takesValue):
			i++
		}
	}
	return commandLine{flags: args}
}

// reorder moves flags in front of positional words, so that "show UID --json"
// is the same as "show --json UID". After "--" nothing is a flag.
func reorder(args []string, takesValue func(name string) bool) (flags, words []string) {
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			return flags, append(words, args[i+1:]...)
		}
		if !isFlag(word) {
			words = append(words, word)
			continue
		}
		flags = append(flags, word)
		if wantsNext(word, takesValue) && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	return flags, words
}

// beforeDashes is how many of the positional words of args stand in front of "--",
// -1 without one.
func beforeDashes(args, words []string, takesValue func(name string) bool) int {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return len(words) - (len(args) - i - 1)
		case isFlag(args[i]) && wantsNext(args[i], takesValue):
			i++
		}
	}
	return -1
}

// isFlag says whether a word is a flag; a lone dash is a word.
func isFlag(word string) bool { return len(word) > 1 && word[0] == '-' }

// wantsNext says whether a flag takes the next word as its value: it takes one
// and does not carry it behind an equals sign.
func wantsNext(flag string, takesValue func(name string) bool) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-")
	return !strings.Contains(name, "=") && takesValue(name)
}
