package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// node is a JSON value with its place in the text. Comments and trailing commas,
// which some agents allow in their settings, are read past.
type node struct {
	// start and end are where the value begins and where it has ended.
	start, end int
	// open is the first character: '{', '[', '"', or that of another value.
	open byte
	// keys are the decoded keys of an object, in order, and children its values,
	// or those of an array.
	keys     []string
	children []*node
	// starts are where each child begins, its key included.
	starts []int
}

// child is the value under a key; nil when there is none.
func (n *node) child(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return n.children[i]
		}
	}
	return nil
}

// scanner reads JSON and keeps the places.
type scanner struct {
	text string
	at   int
}

// errJSON: the text is no JSON as we can read it.
var errJSON = errors.New("not JSON")

// parse reads a text that holds one value.
func parse(text string) (*node, error) {
	s := scanner{text: text}
	n, err := s.value(0)
	if err == nil {
		err = s.skip()
	}
	if err == nil && s.at != len(text) {
		err = s.wrong("something after the end")
	}
	return n, err
}

// wrong says what is wrong and where.
func (s *scanner) wrong(what string) error {
	return fmt.Errorf("%w: %s in line %d", errJSON, what, 1+strings.Count(s.text[:min(s.at, len(s.text))], "\n"))
}

// skip passes over space and comments.
func (s *scanner) skip() error {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			s.at++
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			s.at += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				return s.wrong("a comment without an end")
			}
			s.at += n + len("*/")
		default:
			return nil
		}
	}
	return nil
}

// maxDepth bounds the nesting of what is read.
const maxDepth = 100

// value reads one value.
func (s *scanner) value(depth int) (*node, error) {
	if err := s.skip(); err != nil {
		return nil, err
	}
	if s.at == len(s.text) || depth > maxDepth {
		return nil, s.wrong("a value is missing")
	}
	n := &node{start: s.at, open: s.text[s.at]}
	var err error
	switch n.open {
	case '{', '[':
		err = s.container(n, depth)
	case '"':
		_, err = s.quoted()
	default:
		err = s.word()
	}
	n.end = s.at
	return n, err
}

// container reads an object or an array.
func (s *scanner) container(n *node, depth int) error {
	end := byte(']')
	if n.open == '{' {
		end = '}'
	}
	s.at++
	for {
		if err := s.skip(); err != nil {
			return err
		}
		if s.at < len(s.text) && s.text[s.at] == end {
			s.at++
			return nil
		}
		if err := s.member(n, depth); err != nil {
			return err
		}
		if err := s.skip(); err != nil {
			return err
		}
		switch {
		case s.at < len(s.text) && s.text[s.at] == ',':
			s.at++
		case s.at == len(s.text) || s.text[s.at] != end:
			return s.wrong("a comma or the end of a list is missing")
		}
	}
}

// member reads a value of a container, with its key.
func (s *scanner) member(n *node, depth int) error {
	n.starts = append(n.starts, s.at)
	if n.open == '{' {
		key, err := s.quoted()
		if err != nil {
			return err
		}
		n.keys = append(n.keys, key)
		if err := s.skip(); err != nil {
			return err
		}
		if s.at == len(s.text) || s.text[s.at] != ':' {
			return s.wrong("a colon is missing")
		}
		s.at++
	}
	child, err := s.value(depth + 1)
	n.children = append(n.children, child)
	return err
}

// quoted reads a string.
func (s *scanner) quoted() (value string, err error) {
	if s.at == len(s.text) || s.text[s.at] != '"' {
		return "", s.wrong("a string is missing")
	}
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			if json.Unmarshal([]byte(s.text[s.at:i+1]), &value) != nil {
				return "", s.wrong("a string that is none")
			}
			s.at = i + 1
			return value, nil
		}
	}
	return "", s.wrong("a string without an end")
}

// word reads a number, true, false or null.
func (s *scanner) word() error {
	rest := s.text[s.at:]
	n := strings.IndexAny(rest, ",]} \t\r\n/")
	if n < 0 {
		n = len(rest)
	}
	if !json.Valid([]byte(rest[:n])) {
		return s.wrong("a value that is none")
	}
	s.at += n
	return nil
}

// appendTo puts a member or an element behind the last of a container. lines is
// its text over several lines without indentation; where the container has only
// one line it is put on it.
func appendTo(text string, n *node, lines string) string {
	closing := n.end - 1
	if len(n.children) > 0 && !strings.Contains(text[n.start:n.end], "\n") {
		last := n.children[len(n.children)-1].end
		return text[:last] + ", " + compact(lines) + text[last:]
	}
	outer, unit := indentAt(text, n.start), indentUnit(text)
	inner := outer + unit
	body := "\n" + inner + strings.ReplaceAll(strings.ReplaceAll(lines, "\t", unit), "\n", "\n"+inner)
	if len(n.children) == 0 {
		return text[:n.start+1] + body + "\n" + outer + text[closing:]
	}
	last := n.children[len(n.children)-1].end
	if rest := strings.TrimLeft(text[last:closing], " \t\r\n"); strings.HasPrefix(rest, ",") {
		at := last + strings.IndexByte(text[last:], ',') + 1
		return text[:at] + body + text[at:]
	}
	return text[:last] + "," + body + text[last:]
}

// compact is a text of several lines on one.
func compact(lines string) string {
	return strings.NewReplacer("\n", " ", "\t", "").Replace(lines)
}

// indentAt is the indentation of the line a place is in.
func indentAt(text string, at int) string {
	line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// indentUnit is what the text is indented by: as its first indented line, else
// two spaces.
func indentUnit(text string) string {
	for line := range strings.Lines(text) {
		trimmed := strings.TrimLeft(line, " \t")
		if n := len(line) - len(trimmed); n > 0 && strings.TrimSpace(line) != "" && trimmed[0] != '*' {
			return line[:n]
		}
	}
	return "  "
}

// without is the text without the i-th child of a container, and without the comma
// that set it apart.
func without(text string, n *node, i int) string {
	switch last := len(n.children) - 1; {
	case i > 0:
		return text[:n.children[i-1].end] + text[n.children[i].end:]
	case last > 0:
		return text[:n.starts[0]] + text[n.starts[1]:]
	default:
		return text[:n.start+1] + text[n.end-1:]
	}
}
