package main

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

func (l *lab) owns(pid int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own[pid]
}

func (l *lab) started(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own[pid] = true
}

// q is shell text that runs a command under the wrapper.
func (l *lab) q(cmd ...string) string { return shellJoin(l.w.argv(cmd...)) }

// qsh is q for a script of its own.
func (l *lab) qsh(script string) string { return l.q("sh", "-c", script) }

// probe is the command line of one of this program's probes.
func (l *lab) probe(args ...string) []string { return append([]string{l.self, "probe"}, args...) }

// terminal runs a command, not under the wrapper, as leader of a terminal.
func (l *lab) terminal(config ptytest.Config) *ptytest.Terminal {
	config.Dir, config.Env, config.Marker = l.dir, l.env, l.marker
	t, err := ptytest.Start(config)
	l.must(err)
	l.started(t.Pid())
	l.mu.Lock()
	l.terminals = append(l.terminals, t)
	l.mu.Unlock()
	return t
}

// session is a terminal whose leader, a shell that survives ^C, runs a script in the foreground, prints its exit code and stays: the
// kernel resets the modes and drops unread output when a leader ends.
type session struct {
	*ptytest.Terminal
	l      *lab
	before unix.Termios // the modes before the script ran
	during unix.Termios // the modes while the command ran, as of the last stop
}

const (
	leader   = `trap : INT QUIT HUP; printf '<<ready>>'; read go; %SCRIPT%` + "\n" + `printf '<<rc=%s>>' $?; trap - HUP; exec sleep 1000`
	readyTag = "<<ready>>"
)

func (l *lab) session(script string, change ...func(*ptytest.Config)) *session {
	config := ptytest.Config{Argv: []string{"/bin/sh", "-c", strings.Replace(leader, "%SCRIPT%", script, 1)}}
	for _, f := range change {
		f(&config)
	}
	s := &session{Terminal: l.terminal(config), l: l}
	l.must(s.Expect(readyTag, startLimit))
	var err error
	s.before, err = s.Termios()
	l.must(err)
	return s
}

// begin lets the leader run its script. Its newline is echoed before anything the script prints.
func (s *session) begin() *session {
	s.l.must(s.Send("\n"))
	s.l.must(s.Expect("\r\n", startLimit))
	return s
}

// held is a session that runs a command under the wrapper and leaves the wrapper's process id in wrapper.pid.
func (l *lab) held(cmd ...string) *session {
	return l.session(shellJoin([]string{"sh", "-c", `echo $$ >"$D/wrapper.pid"; exec ` + l.q(cmd...)}))
}

// heldSh is held for a script, begun.
func (l *lab) heldSh(script string) *session { return l.held("sh", "-c", script).begin() }

// upCat is a cat that says when it is up.
func upCat() []string { return []string{"sh", "-c", "echo up''start; exec cat"} }

// relayed waits until the command is up and keys go to it. What is typed before a relay is in raw mode is echoed twice.
func (s *session) relayed() {
	_, err := s.ExpectMatch(regexp.MustCompile(`upstart\r+\n`), startLimit)
	s.l.must(err)
	if s.l.w.relays {
		_, err = s.AwaitTermios(ptytest.IsRaw, startLimit)
		s.l.must(err)
	}
	s.say("hello")
}

// say types a line to a cat and waits for the terminal's echo and the cat's answer.
func (s *session) say(word string) {
	s.typeIn(word + "\n")
	s.see(word + "\r\n" + word + "\r\n")
}

// wrapper waits for the wrapper's process id.
func (s *session) wrapper() int { return s.l.number("wrapper.pid") }

// kill signals the wrapper.
func (s *session) kill(sig syscall.Signal) { s.l.must(syscall.Kill(s.wrapper(), sig)) }

func rcPattern() *regexp.Regexp { return regexp.MustCompile(`<<rc=(\d+)>>`) }

// rc waits for the script's exit code.
func (s *session) rc(within time.Duration) int {
	found, err := s.ExpectMatch(rcPattern(), within)
	s.l.must(err)
	code, err := strconv.Atoi(found[1])
	s.l.must(err)
	return code
}

func (s *session) wantRC(want int, within time.Duration) {
	if got := s.rc(within); got != want {
		s.l.fatalf("exit code %d, want %d", got, want)
	}
}

func (s *session) see(text string) { s.l.must(s.Expect(text, startLimit)) }
func (s *session) typeIn(text string) {
	s.l.must(s.Send(text))
}

// ended is how a command without a terminal ended.
type ended struct {
	out, err string
	status   syscall.WaitStatus
	took     time.Duration
}

// code is the exit code as a shell sees it.
func (e ended) code() int {
	if e.status.Signaled() {
		return 128 + int(e.status.Signal())
	}
	return e.status.ExitStatus()
}

// pipe runs a command under the wrapper without any terminal. A nil stdin is /dev/null.
func (l *lab) pipe(stdin io.Reader, cmd ...string) ended {
	return l.command(stdin, l.w.argv(cmd...)...)
}

// command runs a command as it is, without any terminal, in the cell's world.
func (l *lab) command(stdin io.Reader, argv ...string) ended {
	var out, errs bytes.Buffer
	c := exec.Command(argv[0], argv[1:]...)
	c.Dir, c.Env = l.dir, append(slices.Clip(l.env), ptytest.MarkerName+"="+l.marker)
	c.Stdin, c.Stdout, c.Stderr = stdin, &out, &errs
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	took := stopwatch()
	l.must(c.Start())
	l.started(c.Process.Pid)
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		l.fatalf("run %s: %v", argv[0], err)
	}
	status, _ := c.ProcessState.Sys().(syscall.WaitStatus)
	return ended{out: out.String(), err: errs.String(), status: status, took: took()}
}

// sh runs a script, which may use q, without any terminal.
func (l *lab) sh(script string) ended { return l.command(nil, "/bin/sh", "-c", script) }
