package agent

import (
	"slices"
	"strings"
)

// rule is one anchored text of an agent. Lines are compared without their
// escapes and trailing blanks.
type rule struct {
	says  says
	where where
	text  string
	// also must stand somewhere in the line, too; empty for nothing more.
	also string
	// cause is what it means; empty to read it from the line itself.
	cause Cause
}

// where says where in a line the text must stand.
type where int

const (
	atStart where = iota // of the line
	inset                // behind blanks and the frame of a box
	whole                // be the whole line, blanks aside
	inside               // anywhere
	behind               // anywhere, and what it is about stands before it
	refused              // at the start, and what a server answers stands behind it
)

// says is what a text means for the turn.
type says int

const (
	saysFailed    says = iota // the turn is over, and not completed
	saysUser                  // somebody interrupted it
	saysRetries               // the agent tries again
	saysTold                  // failed, if the line names a cause and nothing follows it
	saysTrouble               // context for a failure that is announced later
	saysMoves                 // the agent works (on)
	saysEnded                 // the turn is over; a failure just announced stands
	saysWaits                 // it waits for a person
	saysSession               // the session's name follows
	saysLeft                  // nothing: a line that may follow a failure
	saysCompleted             // the turn completed
	saysSpoilt                // the answer, which may be painted below, is not whole
	saysAsked                 // a person asked the next thing
	saysWorks                 // the turn is on
)

// Text reads the tail of what the agent wrote for people, without escapes: the
// last lines, or the screen of a full-screen program. The last state wins. What a
// headless agent writes behind an error takes the error back, for it was a quotation,
// or it was overcome; and so does what any agent writes that has no marks for errors.
func (a Agent) Text(tail string, in Invocation) Standing {
	var r reading
	for line := range lines(tail) {
		rule, found := a.match(line, in.Mode == ModeInteractive)
		switch {
		case found:
			r.line(rule, line)
		case (in.Mode == ModeHeadless || r.told) && (r.Turn == TurnFailed || r.Retrying) && !number(line):
			r.forget()
		}
	}
	if r.Turn == TurnUnknown && r.spoilt.cause != "" {
		r.failed(r.spoilt.cause, r.spoilt.text)
		r.Spoilt = true
	}
	if r.Turn == TurnUnknown {
		return Standing{Session: r.Session, Waiting: r.Waiting}
	}
	return r.Standing
}

// reading follows the lines of a tail.
type reading struct {
	track
	// cause and trouble are what was told before the failure itself.
	cause   Cause
	trouble string
	// spoilt is the rule that says so of the last answer.
	spoilt rule
	// told is true when the failure was told without a mark that sets it apart from
	// what else is written.
	told bool
}

// forget takes back what was read of the turn.
func (r *reading) forget() { r.Standing, r.told = Standing{Session: r.Session}, false }

// number says whether a line is a figure, which may stand behind anything.
func number(line string) bool { return strings.Trim(line, " 0123456789,.") == "" }

// lines goes through the lines of a tail; a carriage return begins one, too.
func lines(tail string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.FieldsFuncSeq(tail, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if !yield(strings.TrimRight(line, " \t")) {
				return
			}
		}
	}
}

// runtimeText is what the runtimes that agents are made with say when they die for
// want of memory: Node.js, Rust, Go. Node.js goes on with a list of addresses.
func runtimeText() []rule {
	return []rule{
		{saysFailed, atStart, "FATAL ERROR: ", "heap out of memory", CauseOOM},
		{saysFailed, atStart, "memory allocation of ", "bytes failed", CauseOOM},
		{saysFailed, atStart, "fatal error: ", "out of memory", CauseOOM},
		{saysLeft, atStart, "----- Native stack trace", "", ""},
		{saysLeft, inset, "", ": 0x", ""},
	}
}

// match finds the first rule a line fits. On the screen of a conversation every
// error has a mark of its own; what stands inside a line there is quoted.
func (a Agent) match(line string, interactive bool) (rule, bool) {
	inner := strings.TrimLeft(line, " \t│┃|⎿")
	all := slices.Concat(a.text, runtimeText())
	i := slices.IndexFunc(all, func(r rule) bool {
		if !strings.Contains(line, r.also) || interactive && r.where == inside && (r.says == saysFailed || r.says == saysUser) {
			return false
		}
		switch r.where {
		case atStart:
			return strings.HasPrefix(line, r.text)
		case inset:
			return strings.HasPrefix(inner, r.text)
		case whole:
			return strings.TrimSpace(line) == r.text
		case inside, behind:
			return strings.Contains(line, r.text)
		case refused:
			return strings.HasPrefix(line, r.text) && refusal(r.text, line[len(r.text):])
		}
		return false
	})
	if i < 0 {
		return rule{}, false
	}
	return all[i], true
}

// refusal says whether what stands behind an HTTP status is the answer of a server: its
// body, or words that servers use. Answers may begin with a number of three digits, too.
func refusal(status, rest string) bool {
	low := strings.ToLower(rest)
	return strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "<") || strings.HasPrefix(rest, `"`) ||
		slices.ContainsFunc([]string{
			status + "error", "status code (no body)", "bad request", "unauthorized", "payment required", "forbidden",
			"request timeout", "payload too large", "request too large", "too many requests", "rate limit", "rate_limit", "usage limit",
			"exceeded your current quota", "internal server error", "server had an error", "bad gateway", "service unavailable",
			"gateway time", "overloaded", "api key provided", "invalid api key", "invalid x-api-key", "credit balance",
			"maximum context length", "prompt is too long",
		}, func(words string) bool { return strings.Contains(low, words) }) ||
		strings.HasPrefix(rest, "Not Found")
}

// line takes in one line a rule fits.
func (r *reading) line(rule rule, line string) {
	at := max(0, strings.Index(line, rule.text))
	message := line[at:]
	if rule.where == behind {
		message = strings.TrimLeft(line[:at], " \t│┃|⬝■")
	}
	cause := rule.cause
	if cause == "" {
		cause = causeOf(message)
	}
	switch rule.says {
	case saysFailed:
		r.failed(cause, message)
	case saysTold:
		if cause != CauseAgentError {
			r.failed(cause, message)
			r.told = true
		}
	case saysUser:
		r.interrupted(message)
	case saysRetries:
		r.retries(cause, message)
	case saysTrouble:
		if cause != CauseAgentError || r.cause == "" {
			r.cause, r.trouble = cause, message
		}
	case saysMoves:
		r.forget()
	case saysEnded:
		if r.Turn != TurnFailed && r.Turn != TurnInterrupted {
			r.completes()
		}
	case saysCompleted:
		r.completes()
	case saysSpoilt:
		r.spoilt = rule
		r.spoilt.text = message
	case saysAsked:
		r.forget()
		r.spoilt = rule
	case saysWorks:
		r.begin()
	case saysWaits:
		r.Waiting = true
	case saysSession:
		if named := firstWord(line[at+len(rule.text):]); isSession(named) {
			r.session(named)
		}
	case saysLeft:
	}
}

// failed ends the turn, explained by the trouble told before it when the line
// itself does not say why. An error told twice is one.
func (r *reading) failed(cause Cause, message string) {
	if cause == CauseAgentError && r.cause != "" {
		cause, message = r.cause, r.trouble
	}
	r.Turn = TurnOpen
	r.fails(cause, message)
}

// firstWord is the first word of s, without what may enclose it.
func firstWord(s string) string {
	if f := strings.Fields(s); len(f) > 0 {
		return strings.Trim(f[0], "\"'`.,│┃|")
	}
	return ""
}
