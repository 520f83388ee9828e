package main

import "strings"

// systemSettings is where an agent's settings for all users lie.
func systemSettings(variable string) string {
	if strings.HasPrefix(variable, "QWEN") {
		return "/Library/Application Support/QwenCode"
	}
	return "/Library/Application Support/GeminiCli"
}
