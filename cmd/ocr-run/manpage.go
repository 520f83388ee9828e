package main

import (
	"fmt"
	"slices"
	"strings"
)

// manPage is the manual page ocr-run(1), in the man(7) macros that mandoc and groff
// read: what --help says of everything, on one page.
func manPage() string {
	var m roff
	fmt.Fprintf(&m.b, ".TH OCR\\-RUN 1 \"\" \"%s\" \"User Commands\"\n", roffText(program+" "+version))
	m.section("NAME", "ocr-run - run a command and tell whether its work was finished")
	m.section("SYNOPSIS", "")
	m.lines(".B", "ocr-run [flags] [--] CMD [ARG…]", "ocr-run VERB [flags] [operands]")
	m.section("DESCRIPTION", rootAbout())
	m.section("OPTIONS", "")
	m.rows(flagRows(wrapFlags()))
	m.section("EXIT STATUS", "")
	m.exits(rootExits())
	m.section("VERBS", "")
	for _, v := range verbs() {
		m.verb(v)
	}
	m.section("FILES", "")
	m.rows([][2]string{
		{"$XDG_STATE_HOME/ocr-run/ledger.db", "the ledger; in ~/.local/state where that is not set"},
		{"$XDG_STATE_HOME/ocr-run/runs/", "what shows that a run's wrapper lives, and how its command ended"},
		{"$XDG_STATE_HOME/ocr-run/spool/", "what waits for a ledger that could not be written"},
	})
	m.section("ENVIRONMENT", "")
	m.rows([][2]string{
		{"OCR_RUN_UID", "for the command: the uid of its run"},
		{"OCR_RUN_LINEAGE", "for the command: the uids of the outermost run, of the one around it and of its own"},
		{"OCR_DASHBOARD_EXECUTION_UID", "for the command: the uid under which Open Code Review knows the run"},
		{"NO_COLOR", "when it is set and not empty, output is not coloured"},
	})
	m.section("EXAMPLES", "")
	m.examples(rootExamples())
	return m.b.String()
}

// roff is a page that grows.
type roff struct{ b strings.Builder }

// section begins a section, with the text it begins with.
func (m *roff) section(title, text string) {
	fmt.Fprintf(&m.b, ".SH %s\n", title)
	m.text(text)
}

// verb describes one verb.
func (m *roff) verb(v verb) {
	fmt.Fprintf(&m.b, ".SS \"%s\"\n", roffText(program+" "+v.name))
	m.lines(".B", v.synopsis())
	m.b.WriteString(".PP\n")
	m.text(v.about)
	if len(v.aliases) > 0 {
		m.b.WriteString(".PP\n")
		m.text("Also called: " + strings.Join(v.aliases, ", "))
	}
	m.rows(flagRows(append(slices.Clip(v.flags), helpSpec())))
	m.b.WriteString(".PP\nExit status:\n")
	m.exits(v.exits)
	m.b.WriteString(".PP\nExamples:\n")
	m.examples(v.examples)
}

// text writes text, whose empty lines part paragraphs.
func (m *roff) text(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			m.b.WriteString(".PP\n")
			continue
		}
		m.b.WriteString(roffText(line) + "\n")
	}
}

// lines writes each text on a line of its own, behind a macro.
func (m *roff) lines(macro string, texts ...string) {
	for i, t := range texts {
		if i > 0 {
			m.b.WriteString(".br\n")
		}
		fmt.Fprintf(&m.b, "%s %s\n", macro, roffText(t))
	}
}

// rows writes a list of terms and what they mean.
func (m *roff) rows(rows [][2]string) {
	for _, r := range rows {
		fmt.Fprintf(&m.b, ".TP\n.B %s\n%s\n", roffText(r[0]), roffText(r[1]))
	}
}

func (m *roff) exits(lines []exitLine) {
	rows := make([][2]string, len(lines))
	for i, l := range lines {
		rows[i] = [2]string{fmt.Sprint(l.code), l.meaning}
	}
	m.rows(rows)
}

// examples writes lines as they are typed.
func (m *roff) examples(lines []string) {
	m.b.WriteString(".PP\n.nf\n.RS\n")
	for _, l := range lines {
		m.b.WriteString(roffText(l) + "\n")
	}
	m.b.WriteString(".RE\n.fi\n")
}

// roffText is one line of text so that it stands on the page as it is: no character of
// it is taken for a command, a hyphen or a typographic quote.
func roffText(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
