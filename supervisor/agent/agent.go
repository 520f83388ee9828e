package agent

import (
	"slices"
	"syscall"
	"time"
)

// Agent is what is known about one coding agent. Agents are values to be read:
// All makes them anew, nothing is shared. The zero value is no agent.
type Agent struct {
	// Name is the word for it in flags, tables and the ledger.
	Name string
	// Stop is the gentlest signal that ends a turn and the process.
	Stop Stop
	// ReadsStdin is true when it reads its standard input to the end whenever
	// that is not a terminal, and so hangs on one nobody closes.
	ReadsStdin bool
	// Retries is true when it asks again by itself after a stream broke off in
	// the middle of an answer.
	Retries bool
	// Patience is how long after the network went it may still end because of
	// that: its own retries and idle limits, in awake time.
	Patience time.Duration
	// Testifies is true when it leaves evidence of its own about how a turn
	// ended; silence after an exit 0 then proves nothing.
	Testifies bool
	// Presumes is true when its hooks were seen to tell of the end of a turn whose
	// answer was cut as of any other: alone they prove no completion.
	Presumes bool

	// honest is true when its exit code is not 0 whenever it writes an error for
	// people: with an exit 0, such a text was only quoted.
	honest    bool
	names     []string // commands and packages it goes by
	syntax    syntax
	value     func(*track, []byte) // one JSON value of its output
	record    record
	text      []rule
	telemetry telemetry
}

// Stop says how to ask an agent to end.
type Stop struct {
	// Signal is the first to send.
	Signal syscall.Signal
	// Group is true when it has to go to the whole process group, because the
	// leader is a launcher that swallows it.
	Group bool
}

// defaultPatience is that of an agent nobody measured.
const defaultPatience = 5 * time.Minute

// All lists every agent that is known, Generic excepted.
func All() []Agent {
	return []Agent{claude(), codex(), gemini(), opencode(), qwen(), pi()}
}

// Names lists the names of All, sorted.
func Names() []string {
	names := []string{}
	for _, a := range All() {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}

// ByName finds an agent by its name; "generic" is Generic. Most commands are no
// agent's and have none: putting the agents together takes longer than to say so.
func ByName(name string) (Agent, bool) {
	if name == "" {
		return Agent{}, false
	}
	if generic := Generic(); name == generic.Name {
		return generic, true
	}
	for _, a := range All() {
		if a.Name == name {
			return a, true
		}
	}
	return Agent{}, false
}
