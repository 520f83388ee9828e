package agent

import (
	"slices"
	"strings"
)

// causeWith reads a message together with the HTTP status it came with, 0 if
// none. A server that answered with an error was not out of reach.
func causeWith(status int, message string) Cause {
	cause := causeOf(message)
	if status >= 400 && (cause == CauseAgentError || cause == CauseDisconnect) {
		return statusCause(status)
	}
	return cause
}

// causeOf reads an agent's own error message. Its words are only ever applied to
// what the agent marked as an error, never to an answer or a tool's output.
func causeOf(message string) Cause {
	low := strings.ToLower(message)
	for _, c := range phrases() {
		if slices.ContainsFunc(c.words, func(w string) bool { return strings.Contains(low, w) }) {
			return c.cause
		}
	}
	return statusCause(httpStatus(low))
}

// phrase is what messages with one cause contain, in lower case.
type phrase struct {
	cause Cause
	words []string
}

// phrases lists them in the order they are tried: a lost connection is the
// weakest reading of a message that also says why.
func phrases() []phrase {
	return []phrase{
		{CauseSleep, []string{"went to sleep", "while your computer was asleep"}},
		{CauseAuth, []string{
			"unauthorized", "unauthenticated", "authentication", "failed to authenticate", "invalid api key", "invalid x-api-key",
			"incorrect api key", "api key not valid", "api key is invalid", "no api key", "api key not found", "api_key",
			"run /login", "not logged in", "please log in", "log in again", "sign in again", "oauth token", "token has expired",
			"refresh token", "permission_denied", "codex login", "credentials", "token expired", "expired token", "please sign in", "permission_error",
		}},
		{CauseLimited, []string{
			"too many requests", "rate limit", "rate_limit", "rate-limit", "ratelimit", "quota", "usage limit", "limit reached",
			"hit your limit", "usage_limit", "resource_exhausted", "resource has been exhausted", "insufficient_quota", "credit balance",
			"out of credits", "out of extra usage", "spend limit", "spending limit", "max_budget", "maximum budget", "overloaded", "at capacity",
			"throttl", "hourly limit", "daily limit", "weekly limit", "monthly limit", "billing", "payment required", "credits are depleted", "requests per",
		}},
		{CauseTruncated, []string{
			"max_output_tokens", "max_tokens", "max output tokens", "output token maximum", "maximum output", "output limit",
			"max turns", "max_turns", "maximum number of turns", "turn limit", "max session turns", "maximum session turns",
			"context window", "context length", "context_length", "contextoverflow", "prompt is too long", "prompt too long",
			"input is too long", "too many tokens", "maximum number of tokens", "input token count", "maximum context", "context size", "token limit", "reduce the length",
			"finish reason: length", "outputlengtherror",
		}},
		{CauseAgentError, []string{
			"content_filter", "content filter", "content policy", "content management policy", "safety settings", "safety reasons", "prohibited content",
			"usage policy",
		}},
		{CauseDisconnect, []string{
			"disconnected", "connection", "econn", "enotfound", "etimedout", "epipe", "ehostunreach", "enetunreach", "enetdown",
			"eai_again", "getaddrinfo", "fetch failed", "failed to fetch", "other side closed", "socket", "network",
			"error decoding response body", "error sending request", "stream closed", "stream ended", "stream error", "premature close",
			"unable to connect", "cannot connect", "could not connect", "mid-response", "mid-stream", "stopped arriving",
			"stalled", "timed out", "timeout", "no response from api", "empty or malformed response", "without a finish reason",
			"without a finish_reason", "without finish", "unexpected eof", "terminated", "incomplete chunked", "reset by",
			"no assistant messages", "empty response", "certificate", "handshake", "bad gateway", "gateway time", "name resolution", "no such host",
			"service not known", "incomplete json", "unterminated string", "unexpected end of json", "end of json input", "incomplete utf-8",
		}},
	}
}

// statusCause reads an HTTP status: a refusal is no lost connection, and a
// server's own fault is neither.
func statusCause(status int) Cause {
	switch status {
	case 401, 403:
		return CauseAuth
	case 402, 429, 529:
		return CauseLimited
	case 413:
		return CauseTruncated
	case 408, 502, 504:
		return CauseDisconnect
	default:
		return CauseAgentError
	}
}

// httpStatus finds the HTTP error a message in lower case names, 0 if none: three
// digits at its start, behind a word that announces them, or before "error", so
// that a port or a count is not taken for one.
func httpStatus(low string) int {
	for i := 0; i+3 <= len(low); i++ {
		if low[i] < '4' || low[i] > '5' || !digit(low, i+1) || !digit(low, i+2) || digit(low, i+3) || digit(low, i-1) {
			continue
		}
		before := strings.TrimRight(low[:i], ` :="'([\`)
		if before == "" || strings.HasPrefix(low[i+3:], " error") || slices.ContainsFunc([]string{"status", "code", "error", "http", "rejected"}, func(w string) bool {
			return strings.HasSuffix(before, w)
		}) {
			return int(low[i]-'0')*100 + int(low[i+1]-'0')*10 + int(low[i+2]-'0')
		}
	}
	return 0
}

// digit says whether s has a digit at i.
func digit(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
