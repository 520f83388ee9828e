//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
)

// escape is one way in which a process gets away from its run. The script is the
// shell's, and every process it leaves carries $TAG among its arguments.
type escape struct {
	name   string
	script string
	// root: only root can do it. hops: it changes its identity for ever, so that
	// only a control group holds it.
	root, hops bool
}

// sit is what nearly all escapees do: they sleep, and say whose they are.
const sit = `sleep 3600 $TAG`

// quiet detaches a process from the run's descriptors.
const quiet = ` </dev/null >/dev/null 2>&1`

// escapes are all of them.
func escapes() []escape {
	return []escape{
		{name: "child", script: sit + quiet + ` &`},
		{name: "double-fork", script: `(` + sit + quiet + ` &)`},
		{name: "setsid", script: `setsid ` + sit + quiet + ` &`},
		{name: "daemon", script: `(setsid ` + sit + quiet + ` &)`},
		{name: "deaf", script: `(trap "" TERM HUP INT; setsid ` + sit + quiet + ` &)`},
		{name: "bare", script: `(env -i setsid ` + sit + quiet + ` &)`},
		{name: "on-terminal", script: `(trap "" HUP; setsid ` + sit + ` &)`},
		{name: "other-user", root: true, script: `(setpriv --reuid=65534 --regid=65534 --clear-groups setsid ` + sit + quiet + ` &)`},
		{name: "stopped", script: `(setsid sh -c 'kill -STOP $$; exec ` + sit + `' $TAG` + quiet + ` &)`},
		{name: "traced", script: `(setsid $DRILL ` + tracerRole + ` $TAG` + quiet + ` &)`},
		{name: "storm", script: `(setsid sh -c 'trap "" TERM; i=0; while [ $i -lt 300 ]; do setsid ` + sit + ` & i=$((i+1)); sleep .05 $TAG; done; wait' $TAG` + quiet + ` &)`},
		{name: "born-at-the-kill", script: `(setsid sh -c 'trap "(setsid ` + sit + ` &)" TERM; while :; do sleep .1 $TAG; done' $TAG` + quiet + ` &)`},
		{name: "hopper", hops: true, script: `(setsid $HOP $TAG 2000` + quiet + ` &)`},
	}
}

// hopScript is a program that lives for a moment and leaves the next of its kind.
const hopScript = `#!/bin/sh
[ "$2" -gt 0 ] || exit 0
sleep .01 "$1"
setsid "$0" "$1" $(($2-1)) </dev/null >/dev/null 2>&1 &
`

// deaths are the ways in which a run is ended.
func deaths() []string { return []string{"wrapper", "agent", "terminal", "both", "all"} }

// role is what one run does and how it dies.
type role struct {
	n       int
	tag     string
	escapes []escape
	death   string
	pty     bool
	// linger is how long after it is ready it dies, in milliseconds.
	linger int
}

// cast chooses a role.
func cast(rng *rand.Rand, n int, s scenario) role {
	r := role{n: n, tag: s.tag(n), death: pick(rng, deaths()), linger: rng.IntN(s.linger)}
	r.pty = r.death == "terminal" || rng.IntN(2) == 0
	for range 1 + rng.IntN(4) {
		if e := pick(rng, escapes()); (!e.root || !s.unprivileged && os.Getuid() == 0) && (!e.hops || s.grouped) {
			r.escapes = append(r.escapes, e)
		}
	}
	if r.death == "all" && !s.rash {
		// Long enough for what it started to be written down by any clock.
		r.linger += 2 * s.linger
	}
	return r
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// script is what the agent of the run executes: it lets everybody go, says that it
// is ready, and becomes a process that only waits.
func (r role) script(ready string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "export TAG=%s\n", r.tag)
	for _, e := range r.escapes {
		fmt.Fprintln(&b, e.script)
	}
	fmt.Fprintf(&b, "echo $$ >%s.new && mv %s.new %s\nexec %s\n", ready, ready, ready, sit)
	return b.String()
}

// names are what a run left behind, for the report.
func (r role) names() string {
	var names []string
	for _, e := range r.escapes {
		names = append(names, e.name)
	}
	return strings.Join(names, ",")
}
