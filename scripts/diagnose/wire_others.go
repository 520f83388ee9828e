package main

import "strings"

// messages is Anthropic's Messages protocol.
func messages() wire {
	start := func(a answer) object {
		return object{
			"id": "msg_1", "type": "message", "role": "assistant", "model": a.model, "content": []any{}, "stop_reason": nil, "stop_sequence": nil,
			"usage": object{"input_tokens": 10, "output_tokens": 1},
		}
	}
	why := func(a answer) string { return a.pick("end_turn", "tool_use", "max_tokens", "refusal") }
	return wire{
		answer: func(a answer) (body, end []string) {
			body = []string{event("message_start", object{"message": start(a)})}
			if a.call != nil {
				body = append(body,
					event("content_block_start", object{"index": 0, "content_block": object{"type": "tool_use", "id": "toolu_1", "name": a.call.name, "input": object{}}}),
					event("content_block_delta", object{"index": 0, "delta": object{"type": "input_json_delta", "partial_json": a.call.text()}}),
					event("content_block_stop", object{"index": 0}))
			} else if len(a.words) > 0 {
				body = append(body, event("content_block_start", object{"index": 0, "content_block": object{"type": "text", "text": ""}}))
				for _, w := range a.words {
					body = append(body, event("content_block_delta", object{"index": 0, "delta": object{"type": "text_delta", "text": w}}))
				}
				body = append(body, event("content_block_stop", object{"index": 0}))
			}
			return body, []string{
				event("message_delta", object{"delta": object{"stop_reason": why(a), "stop_sequence": nil}, "usage": a.counts("input_tokens", "output_tokens", "sum")}),
				event("message_stop", object{}),
			}
		},
		document: func(a answer) string {
			m := start(a)
			m["stop_reason"] = why(a)
			m["content"] = []any{object{"type": "text", "text": strings.Join(a.words, "")}}
			if a.call != nil {
				m["content"] = []any{object{"type": "tool_use", "id": "toolu_1", "name": a.call.name, "input": a.call.args}}
			}
			return text(m)
		},
		trouble: func(kind, message string) string {
			return event("error", object{"error": object{"type": kind, "message": message}})
		},
		failure: func(_ int, kind, message string) string {
			return text(object{"type": "error", "error": object{"type": kind, "message": message}})
		},
	}
}

// gemini is the protocol of Google's Gemini API.
func gemini() wire {
	chunk := func(a answer, part object, reason string) object {
		candidate := object{"index": 0, "content": object{"role": "model", "parts": []any{part}}}
		o := object{"candidates": []any{candidate}, "modelVersion": a.model, "responseId": "r1"}
		if reason != "" {
			candidate["finishReason"] = reason
			if counts := a.counts("promptTokenCount", "candidatesTokenCount", "totalTokenCount"); counts != nil {
				o["usageMetadata"] = counts
			}
		}
		return o
	}
	why := func(a answer) string { return a.pick("STOP", "STOP", "MAX_TOKENS", "SAFETY") }
	called := func(a answer) object { return object{"functionCall": object{"name": a.call.name, "args": a.call.args}} }
	return wire{
		answer: func(a answer) (body, end []string) {
			if a.call != nil {
				body = append(body, data(chunk(a, called(a), "")))
			}
			for _, w := range a.words {
				body = append(body, data(chunk(a, object{"text": w}, "")))
			}
			return body, []string{data(chunk(a, object{"text": ""}, why(a)))}
		},
		document: func(a answer) string {
			if a.call != nil {
				return text(chunk(a, called(a), why(a)))
			}
			return text(chunk(a, object{"text": strings.Join(a.words, "")}, why(a)))
		},
		trouble: func(kind, message string) string {
			return data(object{"error": object{"code": 503, "message": message, "status": strings.ToUpper(kind)}})
		},
		failure: func(status int, kind, message string) string {
			return text(object{"error": object{"code": status, "message": message, "status": strings.ToUpper(kind)}})
		},
	}
}
