package service

import (
	"html"
	"path/filepath"
	"strings"
)

// launchdFiles is the one file that launchd needs.
func (s Spec) launchdFiles() ([]File, error) {
	text, err := render("reap.plist", s)
	if err != nil {
		return nil, err
	}
	return []File{{Path: s.agentFile(s.Label()), Text: text}}, nil
}

// agentFile is where the file of a label lies.
func (s Spec) agentFile(label string) string {
	return filepath.Join(s.Home, "Library", "LaunchAgents", label+".plist")
}

// Log is where launchd writes what the service says.
func (s Spec) Log() string { return filepath.Join(s.Home, "Library", "Logs", s.Name()+".log") }

// Minutes are those of an hour at which launchd sweeps.
func (s Spec) Minutes() []int {
	var all []int
	for m := 0; m < 60; m += 5 {
		all = append(all, m)
	}
	return all
}

// launchdExample is an example as a property list.
func (s Spec) launchdExample(name, about string) ([]File, error) {
	label := "local." + name
	values := struct {
		Spec
		Label, Log, About string
	}{s, label, filepath.Join(s.Home, "Library", "Logs", label+".log"), about}
	text, err := render(name+".plist", values)
	if err != nil {
		return nil, err
	}
	return []File{{Path: s.agentFile(label), Text: text}}, nil
}

// escapeXML is a text as the content of an element.
func escapeXML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// plistProgram is the program in a property list of ours: its first argument.
func plistProgram(text string) string {
	_, after, ok := strings.Cut(text, "<key>ProgramArguments</key>")
	if !ok {
		return ""
	}
	_, after, _ = strings.Cut(after, "<string>")
	path, _, _ := strings.Cut(after, "</string>")
	return html.UnescapeString(path)
}
