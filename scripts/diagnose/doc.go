// Command diagnose measures how well ocr-run tells the end of real coding agents: it installs them, runs each under ocr-run
// against a model server that fails in a known way, and compares the outcome and cause of the receipt with what really happened.
//
//	go run ./scripts/diagnose -ocr-run bin/ocr-run -md docs/diagnosis.md
//	go run ./scripts/diagnose -ocr-run bin/ocr-run -only 'claude/fin|gemini/.*/json'
//
// # Truth
//
// The truth is never read from the agent. It is what the server knows (whether the last request of the conversation was answered to
// its end, and else what was done to it) together with what this program itself did to the run: keys, signals, a deadline.
//
// # Bounds
//
// A run has its own home, state directory and server, and a bound; whatever carries its marker in its environment is killed when it
// is over. Few run at a time, because agents are hungry. Results are added to a file line by line, so that a measurement may be made
// in parts: the last result of a run counts.
//
// # Goroutines
//
// main starts -jobs workers and waits for them; each worker does one run at a time. A run's server starts one goroutine for each
// request, which ends when the server is closed; its terminal is that of supervisor/ptytest.
package main
