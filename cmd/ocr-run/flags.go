package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagSpec describes one flag once: the parser, the help, the completion
// scripts and the tests all read it.
type flagSpec struct {
	// name is the long name without dashes; short is an optional second one.
	name, short string
	// value names the value in the help; empty makes the flag a switch.
	value string
	// fallback is the value when the flag is not given, as a user would write
	// it; empty for none.
	fallback string
	// many allows the flag to be given several times.
	many bool
	// usage says what the flag does, in one line.
	usage string
}

// helpSpec is the flag every verb has.
func helpSpec() flagSpec { return flagSpec{name: "help", short: "h", usage: "show this help"} }

// jsonSpec is the flag of every verb that prints.
func jsonSpec() flagSpec { return flagSpec{name: "json", usage: "print JSON"} }

// flag is the library's form of the description.
func (f flagSpec) flag() cli.Flag {
	switch {
	case f.value == "":
		return &cli.BoolFlag{Name: f.name}
	case f.many:
		return &cli.StringSliceFlag{Name: f.name, KeepSpace: true}
	default:
		return &cli.StringFlag{Name: f.name}
	}
}

// takesValue is a question to a list of flags: does the flag of this name,
// long or short, take a value.
func takesValue(specs []flagSpec) func(name string) bool {
	return func(name string) bool {
		for _, f := range specs {
			if name == f.name || name == f.short && f.short != "" {
				return f.value != ""
			}
		}
		return false
	}
}

// errHelp says that help was asked for, which ends parsing.
var errHelp = errors.New("help requested")

// flagValues are parsed flags. The zero value holds none.
type flagValues struct {
	// parsed knows the flags that were mentioned; nil when none was.
	parsed *cli.Context
	specs  []flagSpec
}

// parseFlags lets the flag library read args, which hold flags only. All else
// the library could do (completion, printing, exiting) is switched off, so that
// what a user sees is decided here and nowhere else. A request for help, which
// the library insists on answering itself, is answered into the void and
// reported as errHelp.
//
// The library is told only of flags that args mention: it spends several
// microseconds on each flag it knows, and a wrapped command waits for them.
func parseFlags(ctx context.Context, name string, specs []flagSpec, args []string) (flagValues, error) {
	values := flagValues{specs: specs}
	if len(args) == 0 {
		return values, nil
	}
	args, err := longFlags(specs, args)
	if err != nil {
		return values, err
	}
	app := &cli.App{
		// Never "help": the library has a command of its own for a program of that name.
		Name:                      program,
		HelpName:                  name,
		Writer:                    io.Discard,
		ErrWriter:                 io.Discard,
		HideHelp:                  true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return err },
		Action:                    func(c *cli.Context) error { values.parsed = c; return nil },
	}
	mentioned := mentionedIn(args, specs)
	for _, f := range mentioned {
		app.Flags = append(app.Flags, f.flag())
	}
	if err := app.RunContext(ctx, append([]string{program}, args...)); err != nil {
		return flagValues{}, err
	}
	if values.parsed == nil {
		return flagValues{}, errHelp
	}
	return values, values.checkEmpty(mentioned)
}

// mentionedIn are the flags whose name is one of the words, or in front of an
// equals sign in one. A word that is a value may look like a name; knowing one
// flag too many does no harm.
func mentionedIn(args []string, specs []flagSpec) []flagSpec {
	return slices.DeleteFunc(slices.Clone(specs), func(f flagSpec) bool {
		return !slices.ContainsFunc(args, func(word string) bool {
			name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
			return name == f.name || name == f.short && f.short != ""
		})
	})
}

// checkEmpty refuses a flag with an empty value, which is what an unset
// variable leaves behind: taking it for a flag not given would guess.
func (v flagValues) checkEmpty(mentioned []flagSpec) error {
	for _, f := range mentioned {
		if f.value != "" && !f.many && v.IsSet(f.name) && v.String(f.name) == "" {
			return fmt.Errorf("--%s: empty value", f.name)
		}
	}
	return nil
}

// IsSet says whether a flag was given.
func (v flagValues) IsSet(name string) bool { return v.parsed != nil && v.parsed.IsSet(name) }

// Bool says whether a switch is on.
func (v flagValues) Bool(name string) bool { return v.parsed != nil && v.parsed.Bool(name) }

// String is a flag's value, or its default.
func (v flagValues) String(name string) string {
	if v.IsSet(name) {
		return v.parsed.String(name)
	}
	for _, f := range v.specs {
		if f.name == name {
			return f.fallback
		}
	}
	return ""
}

// StringSlice is the values of a flag that may be given several times.
func (v flagValues) StringSlice(name string) []string {
	if v.parsed == nil {
		return nil
	}
	return v.parsed.StringSlice(name)
}
