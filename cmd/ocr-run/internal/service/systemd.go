package service

import (
	"bytes"
	"embed"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// render fills in a template, whose values are quoted by its own functions.
func render(name string, values any) (string, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"quoted": quoted, "specified": specified, "xml": escapeXML, "mark": func() string { return Mark },
	}).ParseFS(templates, "templates/"+name)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return "", err
	}
	return b.String(), nil
}

// unitDir is where the user's own units lie.
func (s Spec) unitDir() string {
	config := s.ConfigHome
	if !filepath.IsAbs(config) {
		config = filepath.Join(s.Home, ".config")
	}
	return filepath.Join(config, "systemd", "user")
}

// systemdFiles are the service, its timer, and the link that enables it. The link
// comes last: it leads to something from the first moment on.
func (s Spec) systemdFiles() ([]File, error) {
	service, err := render("reap.service", s)
	if err != nil {
		return nil, err
	}
	timer, err := render("reap.timer", s)
	if err != nil {
		return nil, err
	}
	dir := s.unitDir()
	return []File{
		{Path: filepath.Join(dir, s.Name()+".service"), Text: service},
		{Path: filepath.Join(dir, s.Name()+".timer"), Text: timer},
		{
			Path:   filepath.Join(dir, "timers.target.wants", s.Name()+".timer"),
			Target: filepath.Join("..", s.Name()+".timer"),
		},
	}, nil
}

// systemdExample is an example as units.
func (s Spec) systemdExample(name, about string) ([]File, error) {
	values := struct {
		Spec
		Name, About string
	}{s, name, about}
	endings := []string{".service"}
	if name == "nightly" {
		endings = append(endings, ".timer")
	}
	var files []File
	for _, ending := range endings {
		text, err := render(name+ending, values)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: filepath.Join(s.unitDir(), name+ending), Text: text})
	}
	return files, nil
}

// quoted is a word of a unit: in quotes, in which systemd knows backslashes, and
// with its specifiers escaped.
func quoted(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(word) + `"`
}

// specified is a text of a unit that is not taken apart into words.
func specified(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// unitProgram is the program in a unit of ours.
func unitProgram(unit string) string {
	for line := range strings.Lines(unit) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), `ExecStart="`)
		if !ok {
			continue
		}
		// The path itself has no quotes and no backslashes.
		path, _, _ := strings.Cut(command, `"`)
		return strings.ReplaceAll(path, "%%", "%")
	}
	return ""
}
