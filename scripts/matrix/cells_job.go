package main

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

func jobCells() []cell {
	bash := []string{"bash"}
	return []cell{
		{name: "suspend", group: groupMatrix, does: "^Z in a shell: stopped, the prompt comes and is usable", needs: bash, run: func(l *lab) { suspend(l) }},
		{name: "resume", group: groupMatrix, does: "fg after ^Z: the command goes on, its exit code comes back", needs: bash, run: resume},
		{name: "ctrl-d", group: groupMatrix, does: "^D ends the input of the command", run: func(l *lab) {
			s := l.held(upCat()...).begin()
			s.relayed()
			s.typeIn("\x04")
			s.wantRC(0, startLimit)
		}},
		{name: "ctrl-c", group: groupMatrix, does: "^C interrupts the command: 130 to a shell", run: func(l *lab) {
			s := l.held(upCat()...).begin()
			s.relayed()
			s.typeIn("\x03")
			s.wantRC(130, startLimit)
		}},
		{name: "resume-size", group: groupNasty, does: "a resize while stopped is known after fg", needs: bash, run: resumeSize},
		{name: "background", group: groupNasty, does: "bg after ^Z: the command goes on and its output shows; kill %1 ends it", needs: bash, run: background},
		{name: "kill-stopped", group: groupNasty, does: "kill %1 ends a stopped command", needs: bash, run: killStopped},
		{name: "suspend-script", group: groupNasty, does: "^Z stops the whole script the wrapper runs in, fg resumes it", needs: bash, run: suspendScript},
		{name: "interrupt-script", group: groupNasty, does: "^C ends the script the wrapper runs in, too", needs: bash, run: interruptScript},
		{name: "start-in-background", group: groupNasty, does: "a wrapper started in the background leaves the terminal's modes alone", run: startInBackground},
	}
}

const prompt = "PROMPT> "

// shell is an interactive bash at its prompt.
func (l *lab) shell() *session {
	t := l.terminal(ptytest.Config{Argv: []string{"bash", "--norc", "--noprofile", "--noediting", "-i"}})
	s := &session{Terminal: t, l: l}
	l.must(t.Send("PS1='PROM''PT> '; PS0=; HISTFILE=\n"))
	s.see(prompt)
	var err error
	s.before, err = t.Termios()
	l.must(err)
	return s
}

// run types a command line and waits for its echo.
func (s *session) run(line string) {
	s.typeIn(line + "\n")
	s.see("\r\n")
}

// stopped waits until the shell says so and is usable again, in the modes it had before.
func (s *session) stopped() {
	var err error
	s.during, err = s.Termios()
	s.l.must(err)
	s.typeIn("\x1a")
	s.see("Stopped")
	s.see(prompt)
	s.run("echo usable-$((40+2))")
	s.see("usable-42\r\n")
	s.see(prompt)
	after, err := s.Termios()
	s.l.must(err)
	s.l.want(after == s.before, "modes at the prompt: %s", ptytest.DiffTermios(s.before, after))
}

// foreground resumes the job and waits until the terminal is as it was before the stop: what is typed before that is echoed twice.
func (s *session) foreground() {
	s.run("fg")
	s.see("\r\n")
	_, err := s.AwaitTermios(func(now unix.Termios) bool { return now == s.during }, startLimit)
	s.l.must(err)
}

func (s *session) lastCode(want string) {
	s.see(prompt)
	s.run("echo code=$?.")
	s.see("code=" + want + ".\r\n")
}

func suspend(l *lab) *session {
	s := l.shell()
	s.run(l.q(upCat()...))
	s.relayed()
	s.stopped()
	return s
}

func resume(l *lab) {
	s := suspend(l)
	s.foreground()
	s.say("again")
	s.stopped()
	s.foreground()
	s.say("thrice")
	s.typeIn("\x04")
	s.lastCode("0")
}

func resumeSize(l *lab) {
	s := l.shell()
	s.run(l.qsh(`echo go''ing; while read l; do stty size; done; exit 9`))
	s.see("going\r\n")
	s.stopped()
	l.must(s.Resize(40, 100))
	s.foreground()
	s.typeIn("x\n")
	s.see("40 100\r\n")
	s.typeIn("\x04")
	s.lastCode("9")
}

// waiting runs a command that prints going, waits until something is written to the pipe "on", prints from-bg and stays. While it waits it
// is one process that forks nothing: a shell stopped in the middle of a vfork never counts as stopped.
func waiting(l *lab) (s *session, child int) {
	s = l.shell()
	s.run(l.qsh(`cd ` + l.dir + `; mkfifo on; echo $$ >pid; echo go''ing; read x <on; echo from''-bg; exec sleep 1000`))
	s.see("going\r\n")
	return s, l.number("pid")
}

func background(l *lab) {
	s, child := waiting(l)
	s.stopped()
	s.run("bg")
	s.see(prompt)
	l.write("on", "\n")
	s.see("from-bg")
	s.run("kill %1")
	l.gone(child, "the command", graceLimit)
}

func killStopped(l *lab) {
	s, child := waiting(l)
	s.stopped()
	s.run("kill %1")
	l.gone(child, "the stopped command", graceLimit)
}

func suspendScript(l *lab) {
	s := l.shell()
	l.write("script", l.q(upCat()...)+"\necho aft''er=$?.\n")
	s.run("sh $D/script")
	s.relayed()
	s.stopped()
	s.foreground()
	s.say("again")
	s.typeIn("\x04")
	s.see("after=0.\r\n")
	s.see(prompt)
}

func interruptScript(l *lab) {
	s := l.shell()
	l.write("script", l.q(upCat()...)+"\necho aft''er=$?.\n")
	s.run("sh $D/script")
	s.relayed()
	s.typeIn("\x03")
	s.see("\r\n" + prompt)
	l.want(!bytes.Contains(s.Output(), []byte("after=")), "the script went on")
}

func startInBackground(l *lab) {
	s := l.shell()
	s.run(l.q(l.probe("hold", l.path("pid"))...) + " &")
	child := l.number("pid")
	s.run("stty -a; echo shown-$((40+2))")
	s.see("shown-42")
	s.see(prompt)
	after, err := s.Termios()
	l.must(err)
	l.want(after == s.before, "modes changed: %s", ptytest.DiffTermios(s.before, after))
	s.run("kill %1")
	l.gone(child, "the command", graceLimit)
}
