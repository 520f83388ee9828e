package main

import "strings"

// refusal is an HTTP error in the words of one kind of server.
type refusal struct {
	status        int
	kind, message string
	headers       []string
}

// refuse answers with the refusal that the server of the exchange's protocol would give.
func refuse(of func(family string) refusal) func(*exchange) {
	return func(x *exchange) {
		r := of(x.family())
		x.reply(r.status, "application/json", x.wire.failure(r.status, r.kind, r.message), append([]string{"Retry-After", "1"}, r.headers...)...)
	}
}

// family names whose protocol it is: anthropic, google or openai.
func (x *exchange) family() string {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	switch path := x.s.requests[x.at].Path; {
	case strings.HasSuffix(path, "/messages"):
		return "anthropic"
	case strings.Contains(path, "enerateContent"):
		return "google"
	default:
		return "openai"
	}
}

func badKey(family string) refusal {
	return map[string]refusal{
		"anthropic": {status: 401, kind: "authentication_error", message: "invalid x-api-key"},
		"google":    {status: 400, kind: "invalid_argument", message: "API key not valid. Please pass a valid API key."},
		"openai":    {status: 401, kind: "invalid_api_key", message: "Incorrect API key provided: x. You can find your key in your account."},
	}[family]
}

func usage(family string) refusal {
	long := []string{"Retry-After", "3600", "anthropic-ratelimit-unified-status", "rejected", "anthropic-ratelimit-unified-reset", "4102444800"}
	return map[string]refusal{
		"anthropic": {status: 429, kind: "rate_limit_error", message: "This request would exceed your account's rate limit. Please try again later.", headers: long},
		"google":    {status: 429, kind: "resource_exhausted", message: "You exceeded your current quota. Please retry in 3600s.", headers: long},
		"openai":    {status: 429, kind: "usage_limit_reached", message: "The usage limit has been reached. Try again in 1 hour.", headers: long},
	}[family]
}

func billing(family string) refusal {
	return map[string]refusal{
		"anthropic": {status: 400, kind: "invalid_request_error", message: "Your credit balance is too low to access the API. Please go to Plans & Billing to upgrade or purchase credits."},
		"google":    {status: 429, kind: "resource_exhausted", message: "Your prepayment credits are depleted. Please manage your project and billing."},
		"openai":    {status: 429, kind: "insufficient_quota", message: "You exceeded your current quota, please check your plan and billing details."},
	}[family]
}

func overloaded(family string) refusal {
	return map[string]refusal{
		"anthropic": {status: 529, kind: "overloaded_error", message: "Overloaded"},
		"google":    {status: 503, kind: "unavailable", message: "The model is overloaded. Please try again later."},
		"openai":    {status: 503, kind: "server_error", message: "The engine is currently overloaded, please try again later"},
	}[family]
}

func context(family string) refusal {
	return map[string]refusal{
		"anthropic": {status: 400, kind: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum"},
		"google":    {status: 400, kind: "invalid_argument", message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."},
		"openai":    {status: 400, kind: "context_length_exceeded", message: "Your input exceeds the context window of this model. Please adjust your input and try again."},
	}[family]
}

func model(family string) refusal {
	return map[string]refusal{
		"anthropic": {status: 404, kind: "not_found_error", message: "model: mock-1"},
		"google":    {status: 404, kind: "not_found", message: "models/mock-1 is not found for API version v1beta, or is not supported for generateContent."},
		"openai":    {status: 404, kind: "model_not_found", message: "The model `mock-1` does not exist or you do not have access to it."},
	}[family]
}

// quotations is an answer that quotes what agents print when they fail: about a repository full of HTTP, any of it may be said.
func quotations() []string {
	return strings.SplitAfter(`I looked at the log of the tests. It says:

API Error: 529 Overloaded
ERROR: stream disconnected before completion: error sending request
[API Error: terminated]
[ERROR] Model stream ended without a finish reason.
Error: Connection reset by server
429 Too Many Requests

All of these are handled now, and the tests pass. END`, " ")
}
