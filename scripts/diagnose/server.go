package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// turnTaken is one request of the conversation proper, as the server knows it.
type turnTaken struct {
	Path string `json:"path"`
	// Number counts them from 1; requests for titles and the like are none.
	Number int `json:"number"`
	// Tool is true when it was answered with a call of a tool.
	Tool bool `json:"tool"`
	// Fault is true when the fault was applied to it.
	Fault bool `json:"fault"`
	// Delivered is true when it was answered to its end.
	Delivered bool `json:"delivered"`
	// Open is true while it is being answered.
	Open  bool `json:"open"`
	since time.Time
}

// server is a model server that fails on purpose.
type server struct {
	fault fault
	http  *httptest.Server
	url   string
	log   *os.File

	mu       sync.Mutex
	requests []turnTaken // guarded by mu
	texts    int         // of requests, those that get words; guarded by mu
	called   bool        // the tool was called; guarded by mu
	offered  int         // the most tools a request offered; guarded by mu
	again    bool        // the user asked again; guarded by mu
	last     time.Time   // when something last happened; guarded by mu
	over     chan struct{}
}

// startServer starts a server for one run.
func startServer(f fault, logPath string) (*server, error) {
	file, err := os.Create(logPath)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	s := &server{fault: f, log: file, over: make(chan struct{}), last: time.Now()}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.handle))
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	if f.place == placeTLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.url = s.http.URL
	switch f.place {
	case placeRefused:
		s.http.Close()
	case placeNowhere:
		s.url = "http://model.invalid"
	case placeHere, placeTLS:
	}
	return s, nil
}

// stop ends the server and everything it still answers.
func (s *server) stop() {
	close(s.over)
	s.http.CloseClientConnections()
	s.http.Listener.Close()
	s.log.Close()
}

// state is what the server knows at the moment: the last request of the conversation, how many there were, and for how long nothing
// has happened.
func (s *server) state() (last turnTaken, n int, quiet time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n = len(s.requests); n > 0 {
		last = s.requests[n-1]
	}
	return last, n, time.Since(s.last)
}

// askedAgain tells the server that the user asks again.
func (s *server) askedAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again, s.last = true, time.Now()
}

// conversing is for how long there has been a conversation.
func (s *server) conversing() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		return 0
	}
	return time.Since(s.requests[0].since)
}

// final is the state once the last request has been dealt with, which is a moment after the agent has its end.
func (s *server) final() (last turnTaken, n int) {
	for since := time.Now(); ; s.rest(step) {
		if last, n, _ = s.state(); n == 0 || !last.Open || time.Since(since) > time.Second {
			return last, n
		}
	}
}

// handle answers one request.
func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var req request
	_ = json.Unmarshal(body, &req)
	protocol, ok := wireOf(r.URL.Path)
	if !ok || r.Method != http.MethodPost {
		s.note(object{"side": r.Method + " " + r.URL.Path})
		aside(w, r.URL.Path)
		return
	}
	streamed := strings.Contains(r.URL.Path, "stream") || req.Stream != nil && *req.Stream
	tools := toolNames(req.Tools)
	x := &exchange{s: s, w: w, wire: protocol, streamed: streamed, answer: answer{model: req.Model, words: []string{"Mock ", "title"}}, at: -1, tools: tools}
	if !s.converses(len(tools)) {
		s.note(object{"side": r.URL.Path})
		x.whole(x.answer)
		return
	}
	x.answer.words = words()
	faulty := s.take(x, r.URL.Path, tools)
	s.note(object{"main": x.at + 1, "path": r.URL.Path, "tool": x.answer.call != nil, "fault": faulty, "offered": tools[:min(4, len(tools))]})
	if faulty {
		s.fault.serve(x)
	} else {
		x.whole(x.answer)
	}
	s.settled(x)
}

// converses says whether a request that offers so many tools belongs to the conversation: requests for titles offer none, and helpers that
// the agent starts by itself, as to keep its memory, fewer than it offers itself.
func (s *server) converses(tools int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offered = max(s.offered, tools)
	return tools > 0 && tools*2 > s.offered
}

// words is what the model says.
func words() []string {
	return strings.SplitAfter("I have started the task. First I looked at the repository and now I am editing the files one by one, then I will run the tests and report. END", " ")
}

// take enters a request of the conversation and says whether the fault is its.
func (s *server) take(x *exchange, path string, tools []string) (faulty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault.tool && !s.called {
		x.answer.call = shellCall(tools)
		s.called = x.answer.call != nil
	}
	if x.answer.call != nil {
		x.answer.words = nil
	} else {
		s.texts++
		faulty = s.fault.serve != nil && (s.fault.count == 0 || s.texts <= s.fault.count) && s.fault.stage.hits(s.again)
	}
	x.at = len(s.requests)
	s.requests = append(s.requests, turnTaken{Path: path, Number: x.at + 1, Tool: x.answer.call != nil, Fault: faulty, Open: true, since: time.Now()})
	s.last = time.Now()
	return faulty
}

// settled closes the entry of a request.
func (s *server) settled(x *exchange) {
	s.mu.Lock()
	s.requests[x.at].Open = false
	s.requests[x.at].Delivered = x.delivered
	s.last = time.Now()
	s.mu.Unlock()
	s.note(object{"settled": x.at + 1, "delivered": x.delivered})
	if s.fault.gone && x.answer.call != nil {
		s.http.Listener.Close()
	}
}

// note adds a line to the log.
func (s *server) note(o object) {
	o["at"] = time.Now().Format("15:04:05.000")
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.log, text(o))
}

// aside answers what is no request for words.
func aside(w http.ResponseWriter, path string) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.Contains(path, "okens"):
		_, _ = io.WriteString(w, `{"totalTokens":10,"input_tokens":10}`)
	case strings.HasSuffix(path, "/models"):
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"mock-1","object":"model"}],"models":[]}`)
	case path == portal:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><head><title>Please log in</title></head><body><form></form></body></html>")
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{}`)
	}
}

// shellCall is a call of the tool that runs commands; nil when none of the tools does.
func shellCall(tools []string) *call {
	const command = "echo hi"
	for _, c := range []call{
		{name: "exec_command", args: object{"cmd": command, "yield_time_ms": 30000}},
		{name: "shell_command", args: object{"command": command}},
		{name: "shell", args: object{"command": []string{"bash", "-lc", command}}},
		{name: "run_shell_command", args: object{"command": command, "description": "run it", "is_background": false}},
		{name: "bash", args: object{"command": command, "description": "run it", "timeout": 60000}},
		{name: "Bash", args: object{"command": command, "description": "run it"}},
	} {
		if slices.Contains(tools, c.name) {
			return &c
		}
	}
	return nil
}

// exchange is one request being answered.
type exchange struct {
	s         *server
	w         http.ResponseWriter
	wire      wire
	streamed  bool
	answer    answer
	at        int // in the server's requests; -1 for a side one
	tools     []string
	delivered bool
}

// reply answers without a stream.
func (x *exchange) reply(status int, kind, body string, headers ...string) {
	x.w.Header().Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		x.w.Header().Set(headers[i], headers[i+1])
	}
	x.w.WriteHeader(status)
	_, _ = io.WriteString(x.w, body)
}

// pieces is the answer as it goes over the wire, without and with what ends it.
func (x *exchange) pieces(a answer) (body, end []string) {
	if x.streamed {
		return x.wire.answer(a)
	}
	doc := x.wire.document(a)
	return []string{doc[:len(doc)/2]}, []string{doc[len(doc)/2:]}
}

// whole answers to the end.
func (x *exchange) whole(a answer) {
	body, end := x.pieces(a)
	st := x.stream()
	st.send(pace, append(body, end...)...)
	x.delivered = st.finish()
}

// half sends the first half of the answer.
func (x *exchange) half() *stream {
	body, _ := x.pieces(x.answer)
	st := x.stream()
	st.send(pace, body[:max(1, len(body)/2)]...)
	return st
}

// pace is the time between two pieces of an answer.
const pace = 8 * time.Millisecond

// stream is an answer sent in chunks over a connection we hold ourselves, so that it can be broken in any way.
type stream struct {
	net.Conn
	s   *server
	err error
}

// stream begins an answer.
func (x *exchange) stream() *stream {
	kind := "application/json"
	if x.streamed {
		kind = "text/event-stream"
	}
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(err)
	}
	st := &stream{Conn: conn, s: x.s}
	st.raw("HTTP/1.1 200 OK\r\nContent-Type: " + kind + "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
	return st
}

func (st *stream) raw(s string) {
	if st.err == nil {
		_, st.err = io.WriteString(st, s)
	}
}

// send sends pieces, each a chunk.
func (st *stream) send(pace time.Duration, pieces ...string) {
	for _, p := range pieces {
		st.raw(fmt.Sprintf("%x\r\n%s\r\n", len(p), p))
		if !st.s.rest(pace) {
			return
		}
	}
}

// rest waits; it is false when the server was stopped meanwhile.
func (s *server) rest(d time.Duration) bool {
	select {
	case <-s.over:
		return false
	case <-time.After(d):
		return true
	}
}

// finish ends the answer properly and says whether all of it was sent.
func (st *stream) finish() bool {
	st.raw("0\r\n\r\n")
	return st.Close() == nil && st.err == nil
}

// reset ends the connection with a reset.
func (st *stream) reset() {
	if tcp, ok := st.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = st.Close()
}

// shut closes our half of the connection and leaves it so until the agent closes its own.
func (st *stream) shut() {
	if tcp, ok := st.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	st.hold()
	_ = st.Close()
}

// hold waits until the agent hangs up or the server is stopped.
func (st *stream) hold() {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, st.Conn)
	}()
	select {
	case <-gone:
	case <-st.s.over:
		_ = st.Close()
		<-gone
	}
}
