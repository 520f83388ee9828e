package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how bad a finding is.
type Severity string

// The severities, the mildest first.
const (
	// OK: as it should be.
	OK Severity = "ok"
	// Note: worth knowing, and nothing to worry about.
	Note Severity = "note"
	// Warn: runs work, and something about them does not.
	Warn Severity = "warn"
	// Error: runs cannot be recorded, or not be looked after.
	Error Severity = "error"
)

// Check names what a finding is about.
type Check string

// The checks, in the order they are made.
const (
	CheckPath       Check = "path"
	CheckHome       Check = "home"
	CheckState      Check = "state"
	CheckModes      Check = "modes"
	CheckFilesystem Check = "filesystem"
	CheckDisk       Check = "disk"
	CheckTerminal   Check = "terminal"
	CheckLedger     Check = "ledger"
	CheckIntegrity  Check = "integrity"
	CheckDegraded   Check = "degraded"
	CheckSpool      Check = "spool"
	CheckClock      Check = "clock"
	CheckBoot       Check = "boot"
	CheckMachine    Check = "machine"
	CheckNamespace  Check = "namespace"
	CheckSubreaper  Check = "subreaper"
	CheckPidfd      Check = "pidfd"
	CheckCgroup     Check = "cgroup"
	CheckProcesses  Check = "processes"
	CheckLimits     Check = "limits"
	CheckService    Check = "service"
	CheckLinger     Check = "linger"
	CheckAgent      Check = "agent"
	CheckHooks      Check = "hooks"
)

// Checks lists all checks.
func Checks() []Check {
	return []Check{
		CheckPath, CheckHome, CheckState, CheckModes, CheckFilesystem, CheckDisk, CheckTerminal, CheckLedger, CheckIntegrity,
		CheckDegraded, CheckSpool, CheckClock, CheckBoot, CheckMachine, CheckNamespace, CheckSubreaper, CheckPidfd, CheckCgroup,
		CheckProcesses, CheckLimits, CheckService, CheckLinger, CheckAgent, CheckHooks,
	}
}

// Finding is what one look showed.
type Finding struct {
	Check    Check
	Severity Severity
	// Looked is what was looked at: a variable, a file, a limit.
	Looked string
	// Found is what is the case.
	Found string
	// Mend is the command that mends it, or the step a person has to take; empty
	// where there is nothing to mend, or no way.
	Mend string
}

// Judge says what the facts amount to, in the order of the checks.
func Judge(f Facts) []Finding {
	rules := []func(Facts) []Finding{
		judgePath, judgeHome, judgeState, judgeModes, judgeFilesystem, judgeDisk, judgeTerminal, judgeLedger, judgeIntegrity,
		judgeDegraded, judgeSpool, judgeClock, judgeBoot, judgeMachine, judgeNamespace, judgeSubreaper, judgePidfd, judgeCgroup,
		judgeProcesses, judgeLimits, judgeService, judgeLinger, judgeAgents, judgeHooks,
	}
	var all []Finding
	for _, rule := range rules {
		all = append(all, rule(f)...)
	}
	return all
}

// ok is a finding that all is well.
func ok(c Check, looked, found string, args ...any) Finding {
	return Finding{Check: c, Severity: OK, Looked: looked, Found: fmt.Sprintf(found, args...)}
}

// one is a finding of any severity.
func one(c Check, s Severity, looked, mend, found string, args ...any) Finding {
	return Finding{Check: c, Severity: s, Looked: looked, Found: fmt.Sprintf(found, args...), Mend: mend}
}

// command is words as a line for a shell.
func command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// quote makes one word of s for a POSIX shell, which most words are already.
func quote(s string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_"
	if s != "" && strings.Trim(s, harmless) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// listed is names with commas between them, in order.
func listed(names []string) string {
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	switch {
	case n < unit:
		return fmt.Sprintf("%d bytes", n)
	case n < unit*unit:
		return fmt.Sprintf("%d KiB", n/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	}
}
