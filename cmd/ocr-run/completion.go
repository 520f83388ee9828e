package main

import (
	"context"
	"fmt"
	"strings"
)

// completionVerb prints a script that teaches a shell our words.
func completionVerb() verb {
	return verb{
		name:     "completion",
		operands: "bash|zsh|fish",
		brief:    "print a shell completion script",
		about: `Prints a script that completes verbs and flags, and commands behind ocr-run.
It is read by the shell at its start; print it anew after an update.`,
		least:    1,
		most:     1,
		exits:    []exitLine{{exitOK, "printed"}, {exitUsage, "unknown shell, or none named"}},
		examples: []string{`eval "$(ocr-run completion bash)"`, `ocr-run completion zsh >"${fpath[1]}/_ocr-run"`, "ocr-run completion fish >~/.config/fish/completions/ocr-run.fish"},
		run: func(_ context.Context, c call) error {
			switch c.words[0] {
			case "bash":
				return c.printText(bashCompletion())
			case "zsh":
				return c.printText(zshCompletion())
			case "fish":
				return c.printText(fishCompletion())
			default:
				return c.usage("%q is none of bash, zsh, fish", c.words[0])
			}
		},
	}
}

// group is the words that may follow a first word.
type group struct {
	first string
	// members are the second words, flags the flags of a verb without them.
	members []string
	flags   []flagSpec
}

// groups folds the verbs by their first word.
func groups() []group {
	var all []group
	for _, v := range verbs() {
		head, tail, nested := strings.Cut(v.name, " ")
		if len(all) == 0 || all[len(all)-1].first != head {
			all = append(all, group{first: head})
		}
		g := &all[len(all)-1]
		if nested {
			g.members = append(g.members, tail)
		}
		g.flags = union(g.flags, append(v.flags, helpSpec()))
	}
	return all
}

// union adds the flags that are not there yet.
func union(have, more []flagSpec) []flagSpec {
	for _, f := range more {
		known := false
		for _, h := range have {
			known = known || h.name == f.name
		}
		if !known {
			have = append(have, f)
		}
	}
	return have
}

// words are everything that may follow the group's first word.
func (g group) words() string {
	return strings.Join(append(g.members, flagWords(g.flags)...), " ")
}

// flagWords are flags as they are typed.
func flagWords(specs []flagSpec) []string {
	words := make([]string, 0, len(specs))
	for _, f := range specs {
		words = append(words, "--"+f.name)
	}
	return words
}

// firstWords are the first words of all verbs.
func firstWords() string {
	words := []string{}
	for _, g := range groups() {
		words = append(words, g.first)
	}
	return strings.Join(words, " ")
}

// valueFlags are the wrap flags that take a value, as shell alternatives.
func valueFlags() string {
	words := []string{}
	for _, f := range wrapFlags() {
		if f.value != "" {
			words = append(words, "--"+f.name)
		}
	}
	return strings.Join(words, "|")
}

// bashCompletion is the script for bash. Behind a command it hands over to
// that command's own completion where bash-completion is loaded.
func bashCompletion() string {
	var b strings.Builder
	b.WriteString("# bash completion for ocr-run\n" + bashValues())
	b.WriteString(`_ocr_run() {
  local cur=${COMP_WORDS[COMP_CWORD]} i=1 word dashed=
  COMPREPLY=()
  while ((i < COMP_CWORD)); do
    word=${COMP_WORDS[i]}
    case $word in
`)
	fmt.Fprintf(&b, "      %s) ((i += 2)); continue ;;\n", valueFlags())
	b.WriteString("      --) ((i += 1)); word= dashed=1; break ;;\n      -*) ((i += 1)); continue ;;\n    esac\n    break\n  done\n")
	b.WriteString("  if ((i > COMP_CWORD)); then _ocr_run_value \"${COMP_WORDS[COMP_CWORD-1]}\" \"$cur\"; return; fi\n")
	b.WriteString("  if ((i >= COMP_CWORD)); then\n    case $dashed$cur in\n")
	b.WriteString("      1*) COMPREPLY=($(compgen -c -- \"$cur\")) ;;\n")
	fmt.Fprintf(&b, "      -*) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;\n", strings.Join(flagWords(wrapFlags()), " "))
	fmt.Fprintf(&b, "      *) COMPREPLY=($(compgen -W '%s' -- \"$cur\") $(compgen -c -- \"$cur\")) ;;\n", firstWords())
	b.WriteString("    esac\n    return\n  fi\n" + bashOfVerb)
	fmt.Fprintf(&b, "  case $dashed$word in\n    %s) _ocr_run_value \"${COMP_WORDS[COMP_CWORD-1]}\" \"$cur\" && return ;;\n  esac\n  case $word in\n",
		strings.ReplaceAll(firstWords(), " ", "|"))
	for _, g := range groups() {
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;\n", g.first, g.words())
	}
	b.WriteString(`    *) if declare -F _command_offset >/dev/null; then _command_offset "$i"; else COMPREPLY=($(compgen -f -- "$cur")); fi ;;
  esac
}
complete -F _ocr_run ocr-run
`)
	return b.String()
}

// bashOfVerb is what the script for bash does behind a verb before it offers the verb's
// words: behind "--" stands a command, and behind a flag its value.
const bashOfVerb = `  if [[ -n $word && " flow resume keep " == *" $word "* ]]; then
    local j
    for ((j = i + 1; j < COMP_CWORD; j++)); do
      [[ ${COMP_WORDS[j]} == -- ]] || continue
      if ((j + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$cur"))
      elif declare -F _command_offset >/dev/null; then _command_offset $((j + 1))
      else COMPREPLY=($(compgen -f -- "$cur")); fi
      return
    done
  fi
`

// zshCompletion is the script for zsh; it works as a file in fpath and when
// evaluated.
func zshCompletion() string {
	var b strings.Builder
	b.WriteString("#compdef ocr-run\n" + zshValues() + "_ocr_run() {\n  local i=2 j dashed=\n  while ((i < CURRENT)); do\n    case $words[i] in\n")
	fmt.Fprintf(&b, "      %s) ((i += 2)); continue ;;\n", valueFlags())
	b.WriteString("      --) ((i += 1)); dashed=1; break ;;\n      -*) ((i += 1)); continue ;;\n    esac\n    break\n  done\n")
	b.WriteString("  if ((i > CURRENT)); then _ocr_run_value $words[CURRENT-1]; return; fi\n  if ((i >= CURRENT)); then\n")
	b.WriteString("    if [[ -n $dashed ]]; then _command_names -e; return; fi\n")
	fmt.Fprintf(&b, "    compadd -- %s\n", firstWords())
	fmt.Fprintf(&b, "    [[ $PREFIX == -* ]] && compadd -- %s\n", strings.Join(flagWords(wrapFlags()), " "))
	b.WriteString("    _command_names -e\n    return\n  fi\n" + zshOfVerb)
	fmt.Fprintf(&b, "  case $dashed$words[i] in\n    %s) _ocr_run_value $words[CURRENT-1] && return ;;\n  esac\n  case $dashed$words[i] in\n",
		strings.ReplaceAll(firstWords(), " ", "|"))
	for _, g := range groups() {
		fmt.Fprintf(&b, "    %s) compadd -- %s ;;\n", g.first, g.words())
	}
	b.WriteString(`    *) shift $((i - 1)) words; ((CURRENT -= i - 1)); _normal ;;
  esac
}
if [[ $funcstack[1] == _ocr-run ]]; then _ocr_run "$@"; else compdef _ocr_run ocr-run; fi
`)
	return b.String()
}

// zshOfVerb is what the script for zsh does there.
const zshOfVerb = `  if [[ $dashed$words[i] == (flow|resume|keep) ]]; then
    for ((j = i + 1; j < CURRENT; j++)); do
      [[ $words[j] == -- ]] || continue
      if ((j + 1 == CURRENT)); then _command_names -e; else shift $j words; ((CURRENT -= j)); _normal; fi
      return
    done
  fi
`

// fishCompletion is the script for fish.
func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# fish completion for ocr-run\n")
	b.WriteString("complete -c ocr-run -n __fish_is_first_token -a '(__fish_complete_command)'\n")
	for _, f := range wrapFlags() {
		fmt.Fprintf(&b, "complete -c ocr-run -n __fish_is_first_token -l %s%s -d '%s'\n", f.name, fishValue(f), fishQuoted(f.usage))
	}
	for _, v := range verbs() {
		head, tail, nested := strings.Cut(v.name, " ")
		seen := "'__fish_seen_subcommand_from " + head + "'"
		if nested {
			fmt.Fprintf(&b, "complete -c ocr-run -n %s -a %s -d '%s'\n", seen, tail, fishQuoted(v.brief))
			seen = "'__fish_seen_subcommand_from " + head + "; and __fish_seen_subcommand_from " + tail + "'"
		} else {
			fmt.Fprintf(&b, "complete -c ocr-run -n __fish_is_first_token -a %s -d '%s'\n", head, fishQuoted(v.brief))
		}
		for _, f := range append(v.flags, helpSpec()) {
			fmt.Fprintf(&b, "complete -c ocr-run -n %s -l %s%s -d '%s'\n", seen, f.name, fishValue(f), fishQuoted(f.usage))
		}
	}
	b.WriteString("complete -c ocr-run -n __fish_is_first_token -a state -d 'the workflow a run is for'\n")
	return b.String()
}

// fishQuoted makes a text fit between single quotes in fish.
func fishQuoted(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}
