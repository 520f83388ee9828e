package service

import (
	"bytes"
	"encoding/xml"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// hostile is a service whose paths have everything in them that means something
// to a manager.
func hostile(m Manager) Spec {
	return Spec{
		Manager: m, Binary: "/opt/a b/%h ${HOME} $PATH;&<x>#é/ocr-run", StateHome: `/srv/st'at"e\ %n &amp;]]>`,
		Home: "/home/ü %u", Path: `/usr/bin:/x y/"q"/%t`, UID: 1000,
	}
}

// plain is a service in the usual places.
func plain(m Manager) Spec {
	return Spec{
		Manager: m, Binary: "/usr/local/bin/ocr-run", StateHome: "/home/u/.local/state", Home: "/home/u", Path: "/usr/bin:/bin", UID: 1000,
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	usual, other, third := plain(Systemd), plain(Systemd), plain(Systemd)
	other.StateHome, third.StateHome = "/srv/state", "/srv/other"
	if usual.Name() != "ocr-run-reap" || usual.Label() != "com.github.ocr-run-reap" {
		t.Errorf("the usual ledger's service is %q, %q", usual.Name(), usual.Label())
	}
	usual.StateHome += "/"
	if usual.Name() != "ocr-run-reap" {
		t.Errorf("a slash makes it %q", usual.Name())
	}
	if a, b := other.Name(), third.Name(); a == b || a == usual.Name() || !strings.HasPrefix(a, "ocr-run-reap-") {
		t.Errorf("other ledgers' services are %q and %q", a, b)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Spec){
		"a relative program":   func(s *Spec) { s.Binary = "bin/ocr-run" },
		"no home":              func(s *Spec) { s.Home = "" },
		"a line feed":          func(s *Spec) { s.StateHome = "/a\nExecStart=/bin/evil" },
		"a control character":  func(s *Spec) { s.Path = "/bin:\x1b" },
		"what is not UTF-8":    func(s *Spec) { s.Binary = "/a\xff" },
		"a quote in a program": func(s *Spec) { s.Binary = `/it's` },
	} {
		s := plain(Systemd)
		change(&s)
		if files, err := s.Files(); err == nil {
			t.Errorf("%s was accepted: %v", name, files)
		}
		if files, err := s.Example("agent"); err == nil {
			t.Errorf("%s was accepted in an example: %v", name, files)
		}
	}
	quote := plain(Launchd)
	quote.Binary = `/it's "here"\`
	if err := quote.Check(); err != nil {
		t.Errorf("launchd takes quotes: %v", err)
	}
	if _, err := plain(Systemd).Example("daily"); err == nil {
		t.Error("an example that does not exist was printed")
	}
}

// TestTextsHoldTheirValues checks, for any paths, that a reader of either format
// finds in the texts what was put in.
func TestTextsHoldTheirValues(t *testing.T) {
	t.Parallel()
	path := rapid.Custom(func(t *rapid.T) string { return "/" + rapid.String().Draw(t, "path") })
	rapid.Check(t, func(t *rapid.T) {
		s := Spec{
			Manager: rapid.SampledFrom(Managers()).Draw(t, "manager"),
			Binary:  path.Draw(t, "binary"), StateHome: path.Draw(t, "state"), Home: path.Draw(t, "home"),
		}
		files, err := s.Files()
		if err != nil {
			t.Skip("it is refused")
		}
		checkValues(t, s, files[0].Text)
	})
	for _, m := range Managers() {
		s := hostile(m)
		files, err := s.Files()
		if err != nil {
			t.Fatal(err)
		}
		checkValues(t, s, files[0].Text)
	}
}

// checkValues reads a text of ours as its manager would.
func checkValues(t rapid.TB, s Spec, text string) {
	t.Helper()
	if got := Program(s.Manager, text); got != s.Binary {
		t.Errorf("runs %q, want %q", got, s.Binary)
	}
	if !strings.Contains(text, Mark) {
		t.Error("it is not marked as ours")
	}
	if s.Manager == Launchd {
		list := readPlist(t, text)
		arguments, _ := list["ProgramArguments"].([]any)
		environment, _ := list["EnvironmentVariables"].(map[string]any)
		if len(arguments) != 4 || arguments[0] != s.Binary || environment["XDG_STATE_HOME"] != s.StateHome {
			t.Errorf("launchd reads %q and %q", arguments, environment)
		}
		return
	}
	if got := unquoted(t, setting(t, text, "ExecStart")); got != s.Binary {
		t.Errorf("systemd reads the program %q, want %q", got, s.Binary)
	}
	if got := unquoted(t, setting(t, text, "Environment")); got != "XDG_STATE_HOME="+s.StateHome {
		t.Errorf("systemd reads the environment %q, want %q", got, s.StateHome)
	}
}

// setting is the value of a setting that a unit has once.
func setting(t rapid.TB, unit, key string) string {
	t.Helper()
	var found []string
	for line := range strings.SplitSeq(unit, "\n") {
		if v, ok := strings.CutPrefix(line, key+"="); ok {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s is set %d times in:\n%s", key, len(found), unit)
	}
	return found[0]
}

// unquoted reads the first word of a value, which is in quotes, as systemd does.
func unquoted(t rapid.TB, value string) string {
	t.Helper()
	var b strings.Builder
	for i := 1; i < len(value); i++ {
		switch c := value[i]; c {
		case '"':
			return b.String()
		case '\\':
			i++
			b.WriteByte(value[i])
		case '%':
			if i++; value[i] != '%' {
				t.Fatalf("a specifier in %q", value)
			}
			b.WriteByte('%')
		default:
			b.WriteByte(c)
		}
	}
	t.Fatalf("no end in %q", value)
	return ""
}

// launchdKeys are the keys that launchd knows and we use. It ignores what it does
// not know, so that a slip would not be noticed.
var launchdKeys = map[string]bool{
	"Label": true, "ProgramArguments": true, "EnvironmentVariables": true, "StartCalendarInterval": true, "RunAtLoad": true,
	"ProcessType": true, "AbandonProcessGroup": true, "StandardOutPath": true, "StandardErrorPath": true,
	"WorkingDirectory": true, "KeepAlive": true, "ThrottleInterval": true, "ExitTimeOut": true,
}

func TestPropertyLists(t *testing.T) {
	t.Parallel()
	s := hostile(Launchd)
	all, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Examples() {
		files, err := s.Example(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, files...)
	}
	for _, f := range all {
		list := readPlist(t, f.Text)
		for key := range list {
			if !launchdKeys[key] {
				t.Errorf("%s: launchd knows no %q", f.Path, key)
			}
		}
		if list["AbandonProcessGroup"] != true {
			t.Errorf("%s: the end of the job would end others", f.Path)
		}
		if want := list["Label"].(string) + ".plist"; filepath.Base(f.Path) != want {
			t.Errorf("%s is not named by its label, %s", f.Path, want)
		}
	}
	reap, agent := readPlist(t, all[0].Text), readPlist(t, all[1].Text)
	if times, _ := reap["StartCalendarInterval"].([]any); len(times) != 12 || reap["ProcessType"] != "Background" {
		t.Errorf("the sweep is started at %v as %v", times, reap["ProcessType"])
	}
	if again, _ := agent["KeepAlive"].(map[string]any); again["SuccessfulExit"] != false || agent["ProcessType"] != "Interactive" {
		t.Errorf("the agent is kept alive by %v as %v", again, agent["ProcessType"])
	}
}

// readPlist reads a property list.
func readPlist(t rapid.TB, text string) map[string]any {
	t.Helper()
	d := xml.NewDecoder(bytes.NewBufferString(text))
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "dict" {
			list, _ := readValue(t, d, e).(map[string]any)
			readRest(t, d)
			return list
		}
	}
}

// readRest reads to the end, where nothing is left open.
func readRest(t rapid.TB, d *xml.Decoder) {
	t.Helper()
	for {
		if _, err := d.Token(); err == io.EOF { //nolint:errorlint // as documented
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// readValue reads a value whose element has begun.
func readValue(t rapid.TB, d *xml.Decoder, e xml.StartElement) any {
	t.Helper()
	var text strings.Builder
	var items []any
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.CharData:
			text.WriteString(string(x))
		case xml.StartElement:
			items = append(items, readValue(t, d, x))
		case xml.EndElement:
			return valueOf(t, e.Name.Local, text.String(), items)
		}
	}
}

// valueOf is the value of an element.
func valueOf(t rapid.TB, element, text string, items []any) any {
	t.Helper()
	switch element {
	case "string", "key":
		return text
	case "true", "false":
		return element == "true"
	case "integer":
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	case "array":
		return items
	case "dict":
		list := map[string]any{}
		for i := 0; i+1 < len(items); i += 2 {
			key := items[i].(string)
			if _, twice := list[key]; twice {
				t.Fatalf("%q is there twice", key)
			}
			list[key] = items[i+1]
		}
		return list
	default:
		t.Fatalf("no property list has a %q", element)
		return nil
	}
}
