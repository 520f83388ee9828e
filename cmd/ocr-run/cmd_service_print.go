package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/service"
)

// servicePrintVerb prints units.
func servicePrintVerb() verb {
	return verb{
		name:  "service print",
		brief: "print the files of the service, or an example of your own",
		about: `Prints what "ocr-run service install" would write, for this system or the other,
or an example of a service that runs an agent under ocr-run: "agent" is started
again until its work is finished, "nightly" works once a night.`,
		flags: []flagSpec{
			{name: "example", value: "NAME", usage: "an example instead: " + strings.Join(service.Examples(), " or ")},
			{name: "for", value: "MANAGER", usage: "for systemd or launchd, rather than for this system"},
			jsonSpec(),
		},
		exits:    []exitLine{{exitOK, "printed"}, {exitError, "the manager cannot be told of these paths"}, {exitUsage, "usage error"}},
		examples: []string{"ocr-run service print", "ocr-run service print --example agent", "ocr-run service print --example nightly --for launchd"},
		run:      runServicePrint,
	}
}

// runServicePrint prints them.
func runServicePrint(_ context.Context, c call) error {
	s, err := c.service()
	if err != nil {
		return err
	}
	p := flagReader{flags: c.flags}
	if c.flags.IsSet("for") {
		s.Manager = oneOf(&p, "for", service.Managers()...)
	}
	if c.flags.IsSet("example") {
		oneOf(&p, "example", service.Examples()...)
	}
	if p.err != nil {
		return c.usage("%w", p.err)
	}
	files, err := s.Files()
	if c.flags.IsSet("example") {
		files, err = s.Example(c.flags.String("example"))
	}
	if err != nil {
		return &verbError{thing: c.verb, err: err, try: "put it where the path is plainer"}
	}
	view := render.ServiceTexts{SchemaVersion: render.SchemaVersion, Manager: string(s.Manager)}
	var b strings.Builder
	for _, f := range files {
		content := text(f.Text, f.Target)
		view.Files = append(view.Files, render.ServiceText{Path: f.Path, Text: content})
		switch {
		case len(files) == 1:
			b.WriteString(content)
		case f.Target != "":
			fmt.Fprintf(&b, "# %s %s", f.Path, content)
		default:
			fmt.Fprintf(&b, "# %s\n%s\n", f.Path, content)
		}
	}
	return c.answer(view, b.String())
}
