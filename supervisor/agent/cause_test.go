package agent

import (
	"testing"
	"time"
)

func TestCauseOf(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Cause{
		"Your computer went to sleep mid-response":                                                       CauseSleep,
		"Connection lost while your computer was asleep":                                                 CauseSleep,
		"stream disconnected before completion: idle timeout waiting for SSE":                            CauseDisconnect,
		"[API Error: terminated (cause: read ECONNRESET)]":                                               CauseDisconnect,
		"exception TypeError: fetch failed sending request":                                              CauseDisconnect,
		"API Error: Connection to the API was lost (ECONNRESET).":                                        CauseDisconnect,
		"unexpected status 401 Unauthorized: no, url: http://127.0.0.1:429/v1":                           CauseAuth,
		"Failed to authenticate. API Error: 401 mock":                                                    CauseAuth,
		"API Error: 403 forbidden":                                                                       CauseAuth,
		"exceeded retry limit, last status: 429 Too Many Requests":                                       CauseLimited,
		"API Error: Request rejected (429) · slow down":                                                  CauseLimited,
		`{"type":"error","error":{"type":"overloaded_error"}}`:                                           CauseLimited,
		"Credit balance is too low":                                                                      CauseLimited,
		"Incomplete response returned, reason: max_output_tokens":                                        CauseTruncated,
		"Claude's response exceeded the 64000 output token maximum.":                                     CauseTruncated,
		"prompt is too long: 210000 tokens > 200000 maximum":                                             CauseTruncated,
		"API Error: 500 mock error. check your inference gateway (127.0.0.1:42901)":                      CauseAgentError,
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).":        CauseTruncated,
		"the request exceeds the available context size, try increasing it":                              CauseTruncated,
		"stream disconnected before completion: Incomplete response returned, reason: content_filter":    CauseAgentError,
		"stream disconnected before completion: Incomplete response returned, reason: max_output_tokens": CauseTruncated,
		"ThrottlingException: Too many tokens, please wait before trying again.":                         CauseLimited,
		"Your prepayment credits are depleted. Please manage your project and billing.":                  CauseLimited,
		"Could not load credentials from any providers":                                                  CauseAuth,
		"self-signed certificate in certificate chain":                                                   CauseDisconnect,
		"[API Error: Incomplete JSON segment at the end]":                                                CauseDisconnect,
		"API Error: JSON Parse error: Unterminated string":                                               CauseDisconnect,
		"SyntaxError: Unexpected end of JSON input":                                                      CauseDisconnect,
		"dial tcp: lookup model.invalid: no such host":                                                   CauseDisconnect,
		"<html><head><title>Bad Gateway</title></head></html>":                                           CauseDisconnect,
		"The model `mock-1` does not exist or you do not have access to it.":                             CauseAgentError,
		"mock 401 error":             CauseAuth,
		"503 upstream":               CauseAgentError,
		"504 upstream":               CauseDisconnect,
		"listening on 127.0.0.1:401": CauseAgentError,
		"4291 files":                 CauseAgentError,
		"":                           CauseAgentError,
	} {
		if got := causeOf(message); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
	if got := causeWith(500, "connection pool is broken"); got != CauseAgentError {
		t.Errorf("a server that answered was %s", got)
	}
}

func TestLimitedUntil(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	for message, want := range map[string]time.Time{
		"Claude AI usage limit reached|1795280400":              time.Unix(1795280400, 0),
		"You've hit your limit · resets 3pm (Europe/Berlin)":    time.Date(2026, 11, 22, 15, 0, 0, 0, berlin),
		"You've hit your limit · resets 4:30pm (Europe/Berlin)": time.Date(2026, 11, 21, 16, 30, 0, 0, berlin),
		"5-hour limit reached ∙ resets 11pm":                    now.Add(9 * time.Hour),
		"You've hit your usage limit. Try again at 3:04 PM.":    now.Add(64 * time.Minute),
		"try again in 3 hours 20 minutes.":                      now.Add(200 * time.Minute),
		"Please try again in 1 day, 2 hours and 5 minutes":      now.Add(26*time.Hour + 5*time.Minute),
		"Your quota will reset after 2h3m10s.":                  now.Add(2*time.Hour + 3*time.Minute + 10*time.Second),
		"retry after 2026-11-21T15:00:00Z, please":              now.Add(time.Hour),
		"Please try again in 1.5s":                              now.Add(1500 * time.Millisecond),
		"exceeded retry limit, last status: 429":                {},
		"limit reached|12":                                      {},
		"limit reached|1600000000":                              {},
		"Please wait and try again later":                       {},
		"in after at resets":                                    {},
		"resets":                                                {},
	} {
		got, ok := LimitedUntil(message, now)
		if ok == want.IsZero() || !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v", message, got, ok, want)
		}
	}
}

func FuzzLimitedUntil(f *testing.F) {
	f.Add("resets 3pm (Europe/Berlin)")
	f.Add("in 3 hours |99999999999")
	now := time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, message string) {
		if at, ok := LimitedUntil(message, now); ok && !at.After(now) {
			t.Errorf("%q ended at %v", message, at)
		}
		_ = causeOf(message)
	})
}
