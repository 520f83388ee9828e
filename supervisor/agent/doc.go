// Package agent knows the AI coding agents ocr-run is put in front of: how each
// is recognised on a command line, stopped and resumed, and what it leaves
// behind that says how its last turn ended. One file per agent; adding one means
// adding a file and its name to All.
//
// # What it promises
//
// Everything but FindRecord, ReadRecord and Arranged is a pure function of its
// arguments: no process, no clock, no goroutine, no environment. Those read files, never
// write, and answer with silence for whatever they cannot make sense of. Nothing
// here fails: garbage is skipped, memory is bounded whatever an agent writes,
// and no answer is ever better than what was seen.
//
// # Four witnesses
//
// An agent's exit code lies both ways, so the end of its last turn is read from
// its JSON output (Reader, in passing), its session record (FindRecord, ReadRecord,
// after the end), the tail of its text (Agent.Text) and, where all these keep quiet
// about an answer that is not whole, its telemetry (Agent.Tells,
// Telemetry, TelemetryReader). Each yields a Standing:
//
//	unknown ──► open ──► completed | failed | interrupted ──► open (next turn) …
//
// The last state wins, so that a retry which succeeds is no failure. Verdict
// joins them into evidence, the strongest witness first.
//
// The words of Cause, Source and EventType are those of the ledger, spelt out
// here because this package imports none of ours.
package agent
