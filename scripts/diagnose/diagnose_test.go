package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// asks lists a request of the conversation in each protocol, by path.
func asks() map[string]string {
	return map[string]string{
		"/v1/messages":                           `{"model":"m","stream":true,"tools":[{"name":"Bash"}]}`,
		"/v1/responses":                          `{"model":"m","stream":true,"tools":[{"name":"exec_command"}]}`,
		"/v1/chat/completions":                   `{"model":"m","stream":true,"tools":[{"function":{"name":"bash"}}]}`,
		"/v1beta/models/m:streamGenerateContent": `{"tools":[{"functionDeclarations":[{"name":"run_shell_command"}]}]}`,
	}
}

func start(t *testing.T, f fault) *server {
	t.Helper()
	s, err := startServer(f, filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// ask sends a request and returns the answer as far as it came.
func ask(t *testing.T, s *server, path, body string) (status int, answer string, err error) {
	t.Helper()
	res, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func named(t *testing.T, name string) fault {
	t.Helper()
	i := slices.IndexFunc(faults(), func(f fault) bool { return f.name == name })
	if i < 0 {
		t.Fatalf("no fault %s", name)
	}
	return faults()[i]
}

// TestConversation: a tool is called, and then everything is said, in every protocol; all of it is JSON.
func TestConversation(t *testing.T) {
	t.Parallel()
	for path, body := range asks() {
		s := start(t, named(t, "tool"))
		_, first, err := ask(t, s, path, body)
		if err != nil || !strings.Contains(first, "echo hi") {
			t.Errorf("%s: no tool is called: %v %s", path, err, first)
		}
		_, second, err := ask(t, s, path, body)
		if err != nil || !strings.Contains(second, "END") {
			t.Errorf("%s: no answer: %v %s", path, err, second)
		}
		for line := range strings.Lines(first + second) {
			if doc, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok && doc != "[DONE]" && !json.Valid([]byte(doc)) {
				t.Errorf("%s: %s is no JSON", path, doc)
			}
		}
		if last, n := s.final(); n != 2 || !last.Delivered || last.Tool {
			t.Errorf("%s: the server knows of %d requests, last %+v", path, n, last)
		}
	}
}

// TestFaults: every fault that the server makes by itself leaves an answer that it does not call whole.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		if f.serve == nil || f.deed != nothing || f.place != placeHere || f.tool || f.either || f.stage == onceAsked || len(f.causes) == 0 || f.name == "halfclosed" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for path, body := range asks() {
				s := start(t, f)
				status, _, err := ask(t, s, path, body)
				if last, n := s.final(); n != 1 || last.Delivered || !last.Fault {
					t.Errorf("%s: status %d, %v, known as %+v", path, status, err, last)
				}
				if f.count == 0 {
					continue
				}
				if _, answer, err := ask(t, s, path, body); err != nil || !strings.Contains(answer, "END") {
					t.Errorf("%s: the second answer is not whole: %v %s", path, err, answer)
				}
			}
		})
	}
}

// TestStages: a fault hits the part of a conversation that it is for.
func TestStages(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"mended": "half whole", "second-fin": "whole half"} {
		for path, body := range asks() {
			s := start(t, named(t, name))
			var got []string
			for range 2 {
				_, _, _ = ask(t, s, path, body)
				if last, _ := s.final(); last.Delivered {
					got = append(got, "whole")
				} else {
					got = append(got, "half")
				}
				s.askedAgain()
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s, %s: %v, want %s", name, path, got, want)
			}
		}
	}
}

// TestHelpers: requests that offer no or few tools are none of the conversation.
func TestHelpers(t *testing.T) {
	t.Parallel()
	s := start(t, named(t, "e500"))
	const path = "/v1/chat/completions"
	many := `{"stream":true,"tools":[` + strings.Repeat(`{"function":{"name":"a"}},`, 9) + `{"function":{"name":"b"}}]}`
	if status, _, _ := ask(t, s, path, many); status != 500 {
		t.Errorf("the conversation gets %d", status)
	}
	for _, body := range []string{`{"stream":true}`, `{"stream":true,"tools":[{"function":{"name":"a"}}]}`, `{}`} {
		if status, _, _ := ask(t, s, path, body); status != 200 {
			t.Errorf("%s gets %d", body, status)
		}
	}
	if _, n := s.final(); n != 1 {
		t.Errorf("%d requests of the conversation", n)
	}
}

// TestTruth: the server's word and our deeds decide, in that order.
func TestTruth(t *testing.T) {
	t.Parallel()
	whole, broken := turnTaken{Delivered: true}, turnTaken{Fault: true}
	for _, c := range []struct {
		fault  string
		mode   mode
		last   []turnTaken
		did    deed
		took   time.Duration
		causes string
		ends   string
	}{
		{"fin", modeText, []turnTaken{broken}, nothing, 0, "disconnect", "incomplete failed"},
		{"fin", modeText, []turnTaken{broken, whole}, nothing, 0, "finished", "success"},
		{"tool", modeText, []turnTaken{{Delivered: true, Tool: true}}, nothing, 0, "", "incomplete failed"},
		{"refused", modeText, nil, nothing, 0, "disconnect", "incomplete failed"},
		{"refused", modeText, nil, nothing, time.Hour, "timeout", "incomplete failed"},
		{"refused", modeText, nil, nothing, time.Second, "disconnect", "incomplete failed"},
		{"interrupt", modeText, []turnTaken{broken}, interrupt, 0, "user", "cancelled"},
		{"interrupt", modeScreen, []turnTaken{broken}, interrupt, 0, "user", "cancelled incomplete failed"},
		{"empty", modeText, []turnTaken{broken}, nothing, 0, "finished disconnect agent-error turn-open", "incomplete failed success"},
		{"empty", modeText, []turnTaken{broken}, nothing, time.Hour, "timeout", "incomplete failed"},
		{"quit", modeScreen, []turnTaken{broken}, leaveIt, 0, "user", "cancelled incomplete failed"},
		{"crash", modeText, []turnTaken{broken}, crashAgent, 0, "crash", "incomplete failed"},
	} {
		s := &server{requests: c.last}
		r := &running{trial: trial{fault: named(t, c.fault), mode: c.mode}, server: s, did: c.did, limit: time.Minute}
		got := r.truth(c.took, c.took > 0)
		if strings.Join(got.Causes, " ") != c.causes || strings.Join(got.Ends, " ") != c.ends {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// TestReport: the last result of a run counts, and wrong ones are counted and listed.
func TestReport(t *testing.T) {
	t.Parallel()
	right := truth{Ends: []string{"success"}, Causes: []string{"finished"}, Finished: true}
	wrong := truth{Ends: unfinished(), Causes: []string{"disconnect"}}
	all := merge([]result{
		{Agent: "pi", Fault: "normal", Mode: "text", Truth: right, Outcome: "failed", Cause: "unknown"},
		{Agent: "pi", Fault: "normal", Mode: "text", Truth: right, Outcome: "success", Cause: "finished"},
		{Agent: "pi", Fault: "fin", Mode: "text", Truth: wrong, Outcome: "success", Cause: "finished"},
		{Agent: "pi", Fault: "fin", Mode: "json", Trouble: "no receipt"},
	})
	if got, want := tally(all), (summary{runs: 2, outcomes: 1, causes: 1, falseSuccess: 1, troubles: 1}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
	page := markdown(all)
	for _, want := range []string{"- `pi/fin/text` (exit ", "`pi/fin/json` was not measured: no receipt", "| **finished** |", "- pi (screen): `normal`", "- pi (json): `normal`", "- pi (text): `tool`"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if bytes.Contains([]byte(page), []byte("`pi/normal/text`")) {
		t.Error("the report lists a run that was right")
	}
}

// TestTrials: names are unique, and every run can be chosen.
func TestTrials(t *testing.T) {
	t.Parallel()
	all := trials(regexp.MustCompile(""))
	seen := map[string]bool{}
	for _, tr := range all {
		if seen[tr.name()] {
			t.Errorf("%s twice", tr.name())
		}
		seen[tr.name()] = true
	}
	talks := trials(regexp.MustCompile(`/(mended|second-fin|quit)/`))
	once, common := len(faults())-3, len(faults())-len(oddities())-1 // of those one is a talk
	if got := trials(regexp.MustCompile(`^pi/fin/json$`)); len(got) != 1 || len(all) != (3*once+common)*len(subjects())+len(talks) || len(talks) != 3*len(subjects()) {
		t.Errorf("%d, %d and %d trials", len(got), len(talks), len(all))
	}
}
