package ocrdb

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// logEntry is one line of the product's command log, from which it writes its
// table anew when that is empty. The order of the fields is the product's.
type logEntry struct {
	V          int     `json:"v"`
	UID        string  `json:"uid"`
	DBID       int64   `json:"db_id"`
	Command    string  `json:"command"`
	Args       string  `json:"args"`
	ExitCode   *int    `json:"exit_code"`
	StartedAt  string  `json:"started_at"`
	FinishedAt *string `json:"finished_at"`
	IsDetached int     `json:"is_detached"`
	Event      string  `json:"event"`
	Writer     string  `json:"writer"`
}

// appendLog adds one line in one write. The log is a copy for emergencies, and
// as with the product's own lines nothing waits or fails for it.
func (h Host) appendLog(e logEntry) error {
	e.V, e.Writer = 1, "cli"
	path := filepath.Join(filepath.Dir(h.Path), ".cache", "command-history.jsonl")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644) //nolint:gosec // as the product makes it
	if absent(err) {
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil && !os.IsExist(err) { //nolint:gosec // as the product makes it
			return err
		}
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644) //nolint:gosec // as the product makes it
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(asJSON(e) + "\n")
	return errors.Join(err, f.Close())
}

// logStart notes the start once, unless the database will not have the row.
func (r *Row) logStart(err error) {
	if !r.logged && !refused(err) {
		r.logged = r.host.appendLog(r.entry("start")) == nil
	}
}

// logFinish notes the end once, unless the database will not have the row.
func (r *Row) logFinish(err error) {
	if r.settled || refused(err) {
		return
	}
	e := r.entry("finish")
	if *r.known.exit == exitCancelled {
		e.Event = "cancel"
	}
	finished := stamp(r.known.finishedMS)
	e.ExitCode, e.FinishedAt = r.known.exit, &finished
	r.settled = r.host.appendLog(e) == nil
}

// entry is a line about the row without its end.
func (r *Row) entry(event string) logEntry {
	return logEntry{
		UID: r.known.UID, DBID: r.id, Command: commandText(r.known.Command), Args: argsText(r.known.Command),
		StartedAt: stamp(r.known.StartedMS), Event: event,
	}
}

// argsText is the command as the JSON list that a row has in args.
func argsText(command []string) string { return asJSON(shortened(command)) }

// asJSON writes texts, numbers and lists of them, which cannot fail, as
// JavaScript would: on one line and with < and & as they are.
func asJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const (
	// maxCommand and maxArg bound, in characters, what a row shows of a command.
	// A prompt can be a megabyte, and the product reads whole tables and files.
	maxCommand = 200
	maxArg     = 300
	// maxArgs is how many arguments are kept.
	maxArgs = 40
)

// commandText is the command as the product lists it.
func commandText(command []string) string {
	return short(CommandPrefix+" "+strings.Join(command, " "), maxCommand)
}

// shortened is the command with every argument cut to a readable length.
func shortened(command []string) []string {
	list := make([]string, 0, len(command))
	for i, arg := range command {
		if i == maxArgs {
			return append(list, "…")
		}
		list = append(list, short(arg, maxArg))
	}
	return list
}

// short cuts s after limit characters and says so. What is no UTF-8 is
// replaced: the product's programs could not read it.
func short(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return strings.ToValidUTF8(s[:i], "\uFFFD") + "…"
		}
		n++
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
