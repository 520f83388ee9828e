package main

import (
	"maps"
	"strings"
)

// responses is OpenAI's Responses protocol.
func responses() wire {
	const message, function = "msg_1", "fc_1"
	spoken := func(a answer) (body []string, items []any) {
		if a.call != nil {
			item := object{"type": "function_call", "id": function, "call_id": "call_1", "name": a.call.name, "arguments": a.call.text(), "status": "completed"}
			body = append(body, event("response.output_item.added", object{"output_index": 0, "item": item}))
			return append(body, event("response.output_item.done", object{"output_index": 0, "item": item})), []any{item}
		}
		item := object{"type": "message", "role": "assistant", "id": message, "status": "in_progress", "content": []any{}}
		body = append(body, event("response.output_item.added", object{"output_index": 0, "item": item}))
		for _, w := range a.words {
			body = append(body, event("response.output_text.delta", object{"item_id": message, "output_index": 0, "content_index": 0, "delta": w}))
		}
		part := object{"type": "output_text", "text": strings.Join(a.words, ""), "annotations": []any{}}
		whole := object{"type": "message", "role": "assistant", "id": message, "status": "completed", "content": []any{part}}
		return append(body, event("response.output_item.done", object{"output_index": 0, "item": whole})), []any{whole}
	}
	response := func(a answer, output []any) object {
		r := object{"id": "resp_1", "object": "response", "model": a.model, "status": "completed", "output": output, "usage": a.counts("input_tokens", "output_tokens", "total_tokens")}
		if why := a.pick("", "", "max_output_tokens", "content_filter"); why != "" {
			r["status"], r["incomplete_details"] = "incomplete", object{"reason": why}
		}
		return r
	}
	return wire{
		answer: func(a answer) (body, end []string) {
			started := object{"id": "resp_1", "object": "response", "status": "in_progress", "model": a.model}
			body, items := spoken(a)
			last := response(a, items)
			kind := "response." + last["status"].(string)
			return append([]string{event("response.created", object{"response": started})}, body...), []string{event(kind, object{"response": last})}
		},
		document: func(a answer) string { _, items := spoken(a); return text(response(a, items)) },
		trouble: func(kind, message string) string {
			return event("response.failed", object{"response": object{"id": "resp_1", "status": "failed", "error": object{"code": kind, "message": message}}})
		},
		failure: openaiFailure,
	}
}

// chat is OpenAI's chat completions protocol.
func chat() wire {
	usage := func(a answer) object { return a.counts("prompt_tokens", "completion_tokens", "total_tokens") }
	chunk := func(a answer, delta object, reason any, more object) string {
		o := object{
			"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": a.model,
			"choices": []any{object{"index": 0, "delta": delta, "finish_reason": reason}},
		}
		maps.Copy(o, more)
		return data(o)
	}
	called := func(a answer) []any {
		return []any{object{"index": 0, "id": "call_1", "type": "function", "function": object{"name": a.call.name, "arguments": a.call.text()}}}
	}
	return wire{
		answer: func(a answer) (body, end []string) {
			body = []string{chunk(a, object{"role": "assistant", "content": ""}, nil, nil)}
			if a.call != nil {
				body = append(body, chunk(a, object{"tool_calls": called(a)}, nil, nil))
			}
			for _, w := range a.words {
				body = append(body, chunk(a, object{"content": w}, nil, nil))
			}
			return body, []string{chunk(a, object{}, a.pick("stop", "tool_calls", "length", "content_filter"), object{"usage": usage(a)}), "data: [DONE]\n\n"}
		},
		document: func(a answer) string {
			message := object{"role": "assistant", "content": strings.Join(a.words, "")}
			if a.call != nil {
				message["tool_calls"] = called(a)
			}
			choice := object{"index": 0, "message": message, "finish_reason": a.pick("stop", "tool_calls", "length", "content_filter")}
			return text(object{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": a.model, "choices": []any{choice}, "usage": usage(a)})
		},
		trouble: func(kind, message string) string {
			return data(object{"error": object{"message": message, "type": kind, "code": kind}})
		},
		failure: openaiFailure,
	}
}
