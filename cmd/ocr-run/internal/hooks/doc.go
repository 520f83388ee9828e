// Package hooks knows the hooks of AI coding agents: what their payloads mean, and
// how to put a hook into an agent's settings and take it out again, or give it to an
// agent for one invocation.
//
// # What it promises
//
// Pure functions over bytes: no I/O, no state, no goroutine, no package of ours. A
// payload that is not understood means nothing. Settings are edited as text, so
// that everything else in them stays as it is, comments and order included; what
// cannot be read is refused and never guessed.
package hooks
