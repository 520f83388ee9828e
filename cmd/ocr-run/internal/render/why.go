package render

import (
	"fmt"
	"strings"
)

// Explanation is whose a process is and what the reaper would do about it.
type Explanation struct {
	SchemaVersion int    `json:"schema_version"`
	PID           int    `json:"pid"`
	Command       string `json:"command"`
	// UID is the run that decides, null when the process is nobody's.
	UID *string `json:"uid"`
	// Action is none, stop, keep or report.
	Action string  `json:"action"`
	Reason string  `json:"reason"`
	Claims []Claim `json:"claims"`
}

// Claim is what speaks for a process belonging to a run.
type Claim struct {
	UID string `json:"uid"`
	// Standing is live, dead, ended or elsewhere.
	Standing string `json:"standing"`
	Action   string `json:"action"`
	Reason   string `json:"reason"`
	Proofs   []Rung `json:"proofs"`
}

// Rung is the answer to one proof.
type Rung struct {
	Proof  string `json:"proof"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"`
}

// ExplanationJSON is the object with no list left null.
func ExplanationJSON(x Explanation) ([]byte, error) {
	x.SchemaVersion, x.Claims = SchemaVersion, orEmpty(x.Claims)
	return indented(x)
}

// Why is the explanation for a person: the ladder of each run that has a claim,
// and what follows.
func Why(s Style, x Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", s.paint(bold, number(x.PID)), Plain(x.Command))
	for _, c := range x.Claims {
		fmt.Fprintf(&b, "\nrun %s (%s)\n", s.paint(bold, c.UID), standingWords(c.Standing))
		for _, r := range c.Proofs {
			mark, col := "no ", dim
			if r.Holds {
				mark, col = "yes", green
			}
			fmt.Fprintf(&b, "  %s  %s %s\n", s.paint(col, mark), pad(r.Proof, 10), Plain(r.Detail))
		}
		fmt.Fprintf(&b, "  %s\n", Plain(actionWords(c.Action)+": "+c.Reason))
	}
	if len(x.Claims) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s\n", Plain(actionWords(x.Action)+": "+x.Reason))
	return b.String()
}

// standingWords says who looks after a run.
func standingWords(standing string) string {
	switch standing {
	case "live":
		return "looked after by its wrapper"
	case "dead":
		return "its wrapper is dead"
	case "ended":
		return "ended"
	default:
		return "of another boot, machine or namespace"
	}
}

// actionWords says what the reaper would do.
func actionWords(action string) string {
	switch action {
	case "stop":
		return "the reaper would stop it"
	case "keep":
		return "the reaper would keep it"
	case "report":
		return "the reaper would only name it"
	default:
		return "the reaper would do nothing"
	}
}
