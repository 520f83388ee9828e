package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"time"
)

// oddities lists what happens seldom.
func oddities() []fault {
	lost, broken := []string{"disconnect"}, []string{"disconnect", "agent-error"}
	return []fault{
		{name: "mended", what: "the answers end in the middle, until the user asks again", stage: untilAsked, serve: func(x *exchange) { x.half().finish() }, causes: lost},
		{name: "second-fin", what: "a whole answer, and to the next question one that breaks off", stage: onceAsked, serve: func(x *exchange) { _ = x.half().Close() }, causes: lost},
		{name: "drip", what: "a whole answer, behind signs of life and a few bytes at a time", serve: dripping},
		{name: "done-twice", what: "a whole answer whose end comes twice", serve: twiceEnded},
		{name: "unsealed", what: "a whole answer with its reason to end, and then the connection closes", serve: unsealed, causes: []string{"finished", "disconnect", "agent-error"}, either: true},
		{name: "args-bad", what: "the arguments of a tool call are no JSON, once", count: 1, serve: badlyCalled, causes: broken},
		{name: "args-cut", what: "the stream ends inside the arguments of a tool call", serve: func(x *exchange) { x.cut(answer{call: shellCall(x.tools)}, "echo") }, causes: lost},
		{name: "cut-char", what: "the stream ends inside a character", serve: func(x *exchange) { x.cut(answer{words: []string{"Done: ", "✓✓ ", "good."}}, "✓\xe2") }, causes: lost},
		{name: "rst-head", what: "the connection is reset behind the headers", serve: func(x *exchange) { x.stream().reset() }, causes: lost},
		{name: "gzip", what: "the first half of a compressed answer", serve: squeezed, causes: broken},
		{name: "redirect", what: "a redirection to a page to log in", serve: redirected, causes: []string{"disconnect", "agent-error", "auth"}},
		{name: "e408", what: "408 without a reason", serve: status(http.StatusRequestTimeout), causes: broken},
		{name: "e421", what: "421 without a reason", serve: status(http.StatusMisdirectedRequest), causes: broken},
		{name: "e425", what: "425 without a reason", serve: status(http.StatusTooEarly), causes: broken},
		{name: "e402", what: "402 without a reason", serve: status(http.StatusPaymentRequired), causes: []string{"limited"}},
		{name: "e413", what: "413 without a reason", serve: status(http.StatusRequestEntityTooLarge), causes: []string{"truncated"}},
		{name: "e520", what: "a proxy does not understand the server, as HTML", serve: page(520, "Web server is returning an unknown error"), causes: broken},
		{name: "tool-usage", what: "a tool call, then the usage limit is reached", tool: true, serve: refuse(usage), causes: []string{"limited"}},
		{name: "tool-badkey", what: "a tool call, then the key is not valid any more", tool: true, serve: refuse(badKey), causes: []string{"auth"}},
	}
}

// signsOfLife are comments between events, which proxies send so that nobody gives up.
const signsOfLife = ": still there\n\n"

func dripping(x *exchange) {
	a := x.answer
	a.words = append([]string{"Größe ✓ geprüft. "}, a.words...)
	body, end := x.pieces(a)
	st := x.stream()
	if x.streamed && x.family() != "google" { // whose own client takes a comment for half an event
		for range 5 {
			st.send(time.Second, signsOfLife)
		}
	}
	all := strings.Join(append(body, end...), "")
	const crumb = 7
	for len(all) > 0 {
		n := min(crumb, len(all))
		st.send(5*time.Millisecond, all[:n])
		all = all[n:]
	}
	x.delivered = st.finish()
}

func twiceEnded(x *exchange) {
	body, end := x.pieces(x.answer)
	st := x.stream()
	st.send(pace, append(body, end...)...)
	x.delivered = st.err == nil
	if x.streamed { // some have hung up by now
		st.send(pace, end[len(end)-1])
	}
	st.finish()
}

func unsealed(x *exchange) {
	body, end := x.pieces(x.answer)
	st := x.stream()
	st.send(pace, append(body, end[:len(end)-1]...)...)
	_ = st.Close()
}

// cut sends the answer up to the last place where it says so, and ends the stream there.
func (x *exchange) cut(a answer, upTo string) {
	a.model = x.answer.model
	body, _ := x.pieces(a)
	all := strings.Join(body, "")
	if i := strings.LastIndex(all, upTo); i >= 0 {
		all = all[:i+len(upTo)]
	}
	st := x.stream()
	st.send(pace, all)
	st.finish()
}

// spoilt is the call with arguments that are no JSON, as far as its protocol can express that.
func (c *call) spoilt() *call {
	if c == nil {
		return nil
	}
	return &call{name: c.name, args: object{}, raw: `{"command": "echo h`}
}

// badlyCalled gives no answer that could be the last.
func badlyCalled(x *exchange) {
	x.say(answer{call: shellCall(x.tools).spoilt()})
	x.delivered = false
}

// squeezed sends the first half of a compressed answer.
func squeezed(x *exchange) {
	body, end := x.pieces(x.answer)
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	_, _ = io.WriteString(z, strings.Join(append(body, end...), ""))
	_ = z.Close()
	x.reply(http.StatusOK, "text/event-stream", small.String()[:small.Len()/2], "Content-Encoding", "gzip")
}

// portal is where a redirection leads.
const portal = "/portal"

func redirected(x *exchange) {
	x.reply(http.StatusFound, "text/html", "<html>moved</html>", "Location", x.s.url+portal)
}
