package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The names peers are known by in tables.
const (
	bareName   = "bare"
	sudoName   = "sudo use_pty"
	scriptName = "script -qec"
	tiniName   = "tini -s"
	dumbName   = "dumb-init"
	pollName   = "C poll loop"
	blockName  = "C copy loop"
	goName     = "Go io.Copy"
	ocrName    = "ocr-run"
	loneName   = "ocr-run --no-monitor"
)

//go:embed c/copy.c
var copySource []byte

// peer is one way to run a command.
type peer struct {
	name string
	// wrap returns the command line that runs cmd through the peer.
	wrap func(cmd []string) []string
}

// prefix makes a peer that is put in front of the command.
func prefix(name string, words ...string) peer {
	return peer{name, func(cmd []string) []string { return slices.Concat(words, cmd) }}
}

// ocr is ocr-run with flags; nothing when there is none to measure.
func (l *lab) ocr(flags ...string) []peer {
	if l.ocrRun == "" {
		return nil
	}
	return []peer{prefix(ocrName, slices.Concat([]string{l.ocrRun}, flags, []string{"--"})...)}
}

// only selects the peers that exist here by name.
func (l *lab) only(names ...string) []peer {
	return slices.DeleteFunc(slices.Clone(l.peers), func(p peer) bool { return !slices.Contains(names, p.name) })
}

// all is every peer that exists here, ocr-run with flags last.
func (l *lab) all(flags ...string) []peer {
	return append(l.only(bareName, sudoName, scriptName, tiniName, dumbName, pollName, goName), l.ocr(flags...)...)
}

// findPeers installs, builds and checks everything ocr-run is compared with.
func (l *lab) findPeers(ctx context.Context) error {
	l.peers = []peer{prefix(bareName)}
	if l.ocrRun == "" {
		l.note("ocr-run was not measured: no -ocr-run given")
	} else if path, err := exec.LookPath(l.ocrRun); err != nil {
		return fmt.Errorf("find ocr-run: %w", err)
	} else if l.ocrRun, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("find ocr-run: %w", err)
	}
	l.install(ctx)
	l.addSudo(ctx)
	if path, err := exec.LookPath("script"); err == nil {
		l.peers = append(l.peers, peer{scriptName, func(cmd []string) []string { return scriptLine(path, cmd) }})
	}
	for _, p := range []peer{prefix(tiniName, "tini", "-s", "--"), prefix(dumbName, "dumb-init", "--")} {
		if path, err := exec.LookPath(p.wrap(nil)[0]); err == nil {
			words := append([]string{path}, p.wrap(nil)[1:]...)
			l.peers = append(l.peers, prefix(p.name, words...))
		}
	}
	l.addC(ctx)
	l.addGo(ctx)
	return ctx.Err()
}

// scriptLine quotes the command for util-linux; the BSD one takes it as it is.
func scriptLine(path string, cmd []string) []string {
	if runtime.GOOS == "darwin" {
		return slices.Concat([]string{path, "-q", "/dev/null"}, cmd)
	}
	quoted := make([]string, len(cmd))
	for i, word := range cmd {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return []string{path, "-qec", "exec " + strings.Join(quoted, " "), os.DevNull}
}

// install brings the missing peers in, where that is possible unattended.
func (l *lab) install(ctx context.Context) {
	var lacking []string
	for _, name := range []string{"sudo", "tini", "dumb-init"} {
		if _, err := exec.LookPath(name); err != nil {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) == 0 {
		return
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		l.note("not measured, install them to compare: %s", strings.Join(lacking, ", "))
		return
	}
	l.progress("installing %s", strings.Join(lacking, ", "))
	for _, args := range [][]string{{"update", "-qq"}, slices.Concat([]string{"install", "-qq", "-y", "--no-install-recommends"}, lacking)} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			l.note("not measured: apt-get %s: %v: %s", args[0], err, lastLine(out))
		}
	}
}

// addSudo adds sudo if it runs without a password, and finds out by its
// behaviour whether it really puts a terminal in between.
func (l *lab) addSudo(ctx context.Context) {
	path, err := exec.LookPath("sudo")
	if err != nil {
		return
	}
	p := prefix(sudoName, path, "-n", "--")
	t, err := l.start(ctx, p.wrap([]string{"tty"}), launch{})
	if err != nil {
		l.note("sudo was not measured: %v", err)
		return
	}
	output, err := t.collect()
	if err != nil {
		l.note("sudo was not measured: %v: %s", err, lastLine(output))
		return
	}
	if strings.TrimSpace(string(output)) == t.name {
		l.note("sudo runs without use_pty here: its numbers are those of a plain exec")
	}
	l.peers = append(l.peers, p)
}

// addC builds the C loops, if there is a compiler.
func (l *lab) addC(ctx context.Context) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		l.note("the C loops were not measured: no C compiler")
		return
	}
	source, binary := filepath.Join(l.dir, "copy.c"), filepath.Join(l.dir, "ccopy")
	if err := os.WriteFile(source, copySource, 0o600); err != nil {
		l.note("the C loops were not measured: %v", err)
		return
	}
	if out, err := exec.CommandContext(ctx, cc, "-O2", "-o", binary, source, "-lutil").CombinedOutput(); err != nil {
		l.note("the C loops were not measured: %v: %s", err, lastLine(out))
		return
	}
	l.peers = append(l.peers, prefix(pollName, binary, "poll"), prefix(blockName, binary, "block"))
}

// addGo builds the Go loop from its source in this module.
func (l *lab) addGo(ctx context.Context) {
	binary := filepath.Join(l.dir, "gocopy")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "github.com/ocr-run/ocr-run/scripts/bench/gocopy")
	build.WaitDelay = time.Second
	if out, err := build.CombinedOutput(); err != nil {
		l.note("the Go loop was not measured: %v: %s", err, lastLine(out))
		return
	}
	l.peers = append(l.peers, prefix(goName, binary))
}

// lastLine is the part of a tool's output worth quoting.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
