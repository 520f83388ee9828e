package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// longFlags gives every flag its long name, and refuses what the flag library would
// refuse in words of its own: it names flags with one dash, however they were typed.
// args hold flags only.
func longFlags(specs []flagSpec, args []string) ([]string, error) {
	long := slices.Clone(args)
	for i := 0; i < len(args); i++ {
		typed, value, has := strings.Cut(args[i], "=")
		name := strings.TrimPrefix(strings.TrimPrefix(typed, "-"), "-")
		at := slices.IndexFunc(specs, func(f flagSpec) bool { return name != "" && (name == f.name || name == f.short) })
		if at < 0 {
			return nil, &verbError{thing: typed, err: noSuchFlag(specs, name)}
		}
		long[i] = "--" + specs[at].name + args[i][len(typed):]
		_, notBool := strconv.ParseBool(value)
		switch wants := specs[at].value; {
		case wants == "" && has && notBool != nil:
			return nil, &verbError{thing: typed, err: fmt.Errorf("it is a switch, and %q is neither true nor false", value)}
		case wants != "" && !has && i+1 == len(args):
			return nil, &verbError{thing: typed, err: fmt.Errorf("needs a value, %s", wants)}
		case wants != "" && !has:
			i++
		}
	}
	return long, nil
}

// noSuchFlag says that nothing has a name, and what has one near it.
func noSuchFlag(specs []flagSpec, name string) error {
	near := nearFlags(specs, name)
	if len(near) == 0 {
		return errors.New("no such flag")
	}
	return fmt.Errorf("no such flag; did you mean %s?", strings.Join(near, " or "))
}

// nearFlags are the flags that somebody may have meant who typed name.
func nearFlags(specs []flagSpec, name string) []string {
	names := make([]string, 0, len(specs))
	for _, f := range specs {
		names = append(names, f.name)
	}
	near := nearWords(names, name)
	for i := range near {
		near[i] = "--" + near[i]
	}
	return near
}

// nearVerbs are the verbs that somebody may have meant who typed a command that there
// is not.
func nearVerbs(name string) []string {
	words := []string{}
	for _, g := range groups() {
		words = append(words, g.first)
	}
	return nearWords(words, name)
}

// nearWords are those of words that somebody may have meant who typed another: those
// that begin with it, or else those that the fewest slips of the keyboard lead to.
func nearWords(words []string, typed string) []string {
	const leastLength, mostSlips = 3, 2
	if len(typed) < leastLength {
		return nil
	}
	var begun, nearest []string
	// A third of a word may be wrong, and no more.
	best := min(mostSlips, len(typed)/leastLength)
	for _, word := range words {
		if strings.HasPrefix(word, typed) {
			begun = append(begun, word)
		}
		switch n := slips(typed, word); {
		case n < best:
			best, nearest = n, []string{word}
		case n == best:
			nearest = append(nearest, word)
		}
	}
	if begun != nil {
		return begun
	}
	return nearest
}

// slips is how many letters are missing, too many, wrong or swapped with their
// neighbour between two words.
func slips(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j], rows[i][j-1], rows[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
