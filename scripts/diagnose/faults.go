package main

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// place is where the agent is told to find the model.
type place int

const (
	placeHere place = iota
	placeRefused
	placeNowhere
	placeTLS
)

// deed is what this program does to a run while the model is silent.
type deed int

const (
	nothing     deed = iota
	interrupt        // ^C on the keyboard
	terminate        // TERM to ocr-run
	killAgent        // KILL to the agent's processes, by a stranger
	termAgent        // TERM to the agent's process group, by a stranger
	crashAgent       // SEGV to the agent's processes
	loseScreen       // the terminal goes away
	waitTooLong      // a short deadline
	leaveIt          // the full-screen program is left
)

// stage is the part of a conversation that a fault hits. A user who does not see all of it asks once more, which takes a full-screen
// program.
type stage int

const (
	always     stage = iota
	untilAsked       // the user asks again
	onceAsked
)

// hits says whether a fault hits a request, once the user has asked again or before.
func (s stage) hits(again bool) bool {
	return s == always || again == (s == onceAsked)
}

// fault is one way for a conversation to go.
type fault struct {
	name, what string
	serve      func(*exchange) // nil: the answer is given
	count      int             // how many answers are hit; 0 for all
	stage      stage           // what part of the conversation is hit
	tool       bool            // a tool is called first
	gone       bool            // the server goes away after the tool call
	place      place
	deed       deed
	// either is true when it is a matter of opinion whether the work is finished; causes then lists those of unfinished work.
	either bool
	// causes lists what the end may rightly be put down to, unless the conversation was completed or a deed ended it.
	causes []string
}

// in says whether the fault can be had in a mode: who asks once does not ask again, and what answers once is not left.
// Rare things are left out where a pipe is all that is different.
func (f fault) in(m mode) bool {
	if m == modePiped && slices.ContainsFunc(oddities(), func(o fault) bool { return o.name == f.name }) {
		return false
	}
	return f.stage == always && f.deed != leaveIt || m == modeScreen
}

// faults lists every fault.
func faults() []fault {
	return slices.Concat(well(), line(), refusals(), answers(), acts(), oddities())
}

func well() []fault {
	return []fault{
		{name: "normal", what: "a whole answer"},
		{name: "tool", what: "a tool call, then a whole answer", tool: true},
		{name: "slow", what: "a whole answer, slowly", serve: slowly},
		{name: "uncounted", what: "a whole answer of a server that counts no tokens", serve: func(x *exchange) { x.say(answer{words: words(), tokens: -1}) }},
		{name: "quoted", what: "a whole answer that quotes error messages of every agent", serve: func(x *exchange) { x.say(answer{words: quotations()}) }},
	}
}

// line lists what happens to connections.
func line() []fault {
	lost := []string{"disconnect"}
	all := []fault{
		{name: "fin", what: "the connection is closed in the middle", serve: func(x *exchange) { _ = x.half().Close() }},
		{name: "rst", what: "it is reset in the middle", serve: func(x *exchange) { x.half().reset() }},
		{name: "eof", what: "the answer ends cleanly, but in the middle", serve: func(x *exchange) { x.half().finish() }},
		{name: "noterm", what: "all words, but nothing that ends them", serve: unended},
		{name: "halfclosed", what: "the server closes its half of the connection", serve: func(x *exchange) { x.half().shut() }},
		{name: "hangup", what: "the connection is closed before any answer", serve: func(x *exchange) { x.cutEarly() }},
		{name: "fin-once", what: "the first answer breaks off", count: 1, serve: func(x *exchange) { _ = x.half().Close() }},
		{name: "eof-once", what: "the first answer ends cleanly, but in the middle", count: 1, serve: func(x *exchange) { x.half().finish() }},
		{name: "tool-fin", what: "a tool call, then the answer breaks off", tool: true, serve: func(x *exchange) { _ = x.half().Close() }},
		{name: "gone", what: "a tool call, then nobody listens any more", tool: true, gone: true},
		{name: "refused", what: "nobody listens", place: placeRefused},
		{name: "nowhere", what: "the name of the server does not resolve", place: placeNowhere},
		{name: "tls", what: "the server's certificate is not to be trusted", place: placeTLS},
	}
	for i := range all {
		all[i].causes = lost
	}
	return all
}

// refusals lists HTTP errors.
func refusals() []fault {
	all := []fault{
		{name: "e401", what: "401 without a reason", serve: status(401), causes: []string{"auth"}},
		{name: "e403", what: "403 without a reason", serve: status(403), causes: []string{"auth"}},
		{name: "badkey", what: "the key is not valid", serve: refuse(badKey), causes: []string{"auth"}},
		{name: "e429", what: "429 without a reason", serve: status(429), causes: []string{"limited"}},
		{name: "usage", what: "the usage limit is reached, until a time that is told", serve: refuse(usage), causes: []string{"limited"}},
		{name: "billing", what: "the credit is used up", serve: refuse(billing), causes: []string{"limited"}},
		{name: "e500", what: "500 without a reason", serve: status(500), causes: []string{"agent-error"}},
		{name: "e500-once", what: "500, once", count: 1, serve: status(500), causes: []string{"agent-error"}},
		{name: "overloaded", what: "the model is overloaded", serve: refuse(overloaded), causes: []string{"limited", "agent-error"}},
		{name: "overloaded-once", what: "the model is overloaded, once", count: 1, serve: refuse(overloaded), causes: []string{"limited", "agent-error"}},
		{name: "context", what: "the conversation is too long", serve: refuse(context), causes: []string{"truncated"}},
		{name: "model", what: "no such model", serve: refuse(model), causes: []string{"agent-error"}},
		{name: "proxy407", what: "a proxy wants a password, as HTML", serve: page(407, "Proxy Authentication Required"), causes: []string{"auth", "disconnect"}},
		{name: "proxy502", what: "a proxy cannot reach the server, as HTML", serve: page(502, "Bad Gateway"), causes: []string{"disconnect"}},
		{name: "proxy504", what: "a proxy waits in vain, as HTML", serve: page(504, "Gateway Time-out"), causes: []string{"disconnect"}},
		{name: "proxy503", what: "a proxy has no server, as HTML", serve: page(503, "Service Unavailable"), causes: []string{"disconnect", "agent-error", "limited"}},
		{name: "login", what: "a page to log in to the network, as HTML with 200", serve: page(200, "Please log in"), causes: []string{"disconnect", "agent-error", "auth"}},
	}
	return all
}

// answers lists what may be wrong with an answer that comes.
func answers() []fault {
	broken := []string{"disconnect", "agent-error"}
	return []fault{
		{name: "maxtok", what: "the answer is cut short at the model's token limit", serve: func(x *exchange) { x.say(answer{words: words(), reason: atLimit, tokens: 8192}) }, causes: []string{"truncated"}},
		{name: "maxtok-short", what: "the answer is cut short at a limit nobody knows", serve: func(x *exchange) { x.say(answer{words: words(), reason: atLimit}) }, causes: []string{"truncated"}},
		{name: "filtered", what: "the answer is stopped by a content filter", serve: func(x *exchange) { x.say(answer{words: words()[:5], reason: filtered}) }, causes: []string{"agent-error"}},
		{name: "empty", what: "an answer without a word", serve: func(x *exchange) { x.whole(answer{model: x.answer.model}) }, causes: []string{"finished", "disconnect", "agent-error", "turn-open"}, either: true},
		{name: "event", what: "an error inside the stream", serve: trouble("api_error", "mock upstream failure"), causes: broken},
		{name: "event-overloaded", what: "an overload inside the stream", serve: trouble("overloaded_error", "Overloaded"), causes: []string{"limited", "disconnect", "agent-error"}},
		{name: "badjson", what: "a piece of the stream is no JSON", serve: garbled, causes: broken},
	}
}

// acts lists what is done to the run from outside while the model says nothing.
func acts() []fault {
	silence := func(x *exchange) { x.half().hold() }
	return []fault{
		{name: "deadline", what: "the answer stalls until --timeout", serve: silence, deed: waitTooLong},
		{name: "hang", what: "no answer begins until --timeout", serve: func(x *exchange) { x.wait() }, deed: waitTooLong},
		{name: "interrupt", what: "the user presses ^C in the middle", serve: silence, deed: interrupt},
		{name: "quit", what: "the user leaves the full-screen program in the middle", serve: silence, deed: leaveIt},
		{name: "terminate", what: "the user ends ocr-run with TERM", serve: silence, deed: terminate},
		{name: "lost", what: "the terminal goes away", serve: silence, deed: loseScreen},
		{name: "kill", what: "a stranger kills the agent with KILL", serve: silence, deed: killAgent},
		{name: "term", what: "a stranger ends the agent with TERM", serve: silence, deed: termAgent},
		{name: "crash", what: "the agent crashes (SEGV)", serve: silence, deed: crashAgent},
	}
}

func slowly(x *exchange) {
	body, end := x.pieces(x.answer)
	st := x.stream()
	st.send(6*time.Second/time.Duration(len(body)), body...)
	st.send(pace, end...)
	x.delivered = st.finish()
}

func unended(x *exchange) {
	body, _ := x.pieces(x.answer)
	st := x.stream()
	st.send(pace, body...)
	st.finish()
}

// say gives an answer to its end. It counts as delivered only when nothing cut it short.
func (x *exchange) say(a answer) {
	a.model = x.answer.model
	x.whole(a)
	x.delivered = x.delivered && a.reason == byItself
}

// cutEarly closes the connection without a word.
func (x *exchange) cutEarly() {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// wait gives no answer until the agent hangs up.
func (x *exchange) wait() {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err == nil {
		(&stream{Conn: conn, s: x.s}).hold()
		_ = conn.Close()
	}
}

func trouble(kind, message string) func(*exchange) {
	return func(x *exchange) {
		st := x.half()
		st.send(pace, x.wire.trouble(kind, message))
		st.finish()
	}
}

func garbled(x *exchange) {
	st := x.half()
	st.send(pace, "data: {\"this is\": no JSON at all,,,\n\n")
	st.finish()
}

// status answers with an HTTP error whose text says nothing.
func status(code int) func(*exchange) {
	return func(x *exchange) {
		kind := strings.ToLower(strings.ReplaceAll(http.StatusText(code), " ", "_"))
		x.reply(code, "application/json", x.wire.failure(code, kind, "mock error"), "Retry-After", "1")
	}
}

// page answers with a page for people.
func page(code int, title string) func(*exchange) {
	return func(x *exchange) {
		body := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
		x.reply(code, "text/html", body)
	}
}
