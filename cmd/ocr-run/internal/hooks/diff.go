package hooks

import (
	"slices"
	"strings"
)

// diffContext is how many unchanged lines are shown around a change.
const diffContext = 3

// Diff shows what changes between two texts, line by line: "-" for a line that
// goes, "+" for one that comes, " " for some that stay around them, and "@@" where
// others are left out. It is empty when nothing changes.
func Diff(before, after string) string {
	a, b := splitLines(before), splitLines(after)
	var all []string
	for i, j, next := 0, 0, common(a, b); i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			all = append(all, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && next(i+1, j) >= next(i, j+1):
			all = append(all, "-"+a[i])
			i++
		default:
			all = append(all, "+"+b[j])
			j++
		}
	}
	return excerpt(all)
}

// splitLines is a text by lines, without their ends.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// common gives the number of lines that what follows two places has in common.
func common(a, b []string) func(i, j int) int {
	table := make([]int, (len(a)+1)*(len(b)+1))
	at := func(i, j int) int { return i*(len(b)+1) + j }
	for i, line := range slices.Backward(a) {
		for j, other := range slices.Backward(b) {
			if line == other {
				table[at(i, j)] = table[at(i+1, j+1)] + 1
			} else {
				table[at(i, j)] = max(table[at(i+1, j)], table[at(i, j+1)])
			}
		}
	}
	return func(i, j int) int { return table[at(i, j)] }
}

// excerpt leaves out lines that stay and are far from any that does not.
func excerpt(all []string) string {
	var out strings.Builder
	left := false
	for i, line := range all {
		near := all[max(0, i-diffContext):min(len(all), i+diffContext+1)]
		if !slices.ContainsFunc(near, func(l string) bool { return l[0] != ' ' }) {
			left = true
			continue
		}
		if left {
			out.WriteString("@@\n")
			left = false
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
