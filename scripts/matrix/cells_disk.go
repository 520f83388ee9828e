package main

import (
	"os"
	"syscall"
	"time"
)

const noBinary = "there is no binary but the command's"

func diskCells() []cell {
	return []cell{
		{name: "binary-deleted", group: groupNasty, does: "the wrapper's binary is deleted while it runs: output, stop and restore still work", bare: noBinary, run: func(l *lab) {
			binaryChanged(l, func(path string) { l.must(os.Remove(path)) })
		}},
		{name: "binary-replaced", group: groupNasty, does: "the wrapper's binary is replaced while it runs", bare: noBinary, run: func(l *lab) {
			binaryChanged(l, func(path string) {
				l.must(os.WriteFile(path+".new", []byte("#!/bin/sh\nexit 99\n"), 0o755))
				l.must(os.Rename(path+".new", path))
			})
		}},
		{name: "drops-privileges", group: groupNasty, does: "a command that changes its user is stopped like any other", needs: []string{"linux", "root", "setpriv"}, run: dropsPrivileges},
		{name: "namespace", group: groupNasty, does: "a command that is init of its own namespace: exit code comes back", needs: []string{"linux", "root", "unshare"}, run: func(l *lab) {
			l.held("unshare", "-pf", "sh", "-c", "sleep 1000 & exit 8").begin().wantRC(8, startLimit)
		}},
	}
}

func binaryChanged(l *lab, change func(path string)) {
	copied := l.path("copy-of-" + l.w.name)
	binary, err := os.ReadFile(l.w.path)
	l.must(err)
	info, err := os.Stat(l.w.path)
	l.must(err)
	l.must(os.WriteFile(copied, binary, 0o755))
	l.must(os.Chmod(copied, info.Mode()))
	l.w.path = copied
	s := l.held(upCat()...).begin()
	s.relayed()
	change(copied)
	s.say("again")
	s.kill(syscall.SIGTERM)
	l.gone(s.wrapper(), "the wrapper", graceLimit)
	s.rc(time.Second)
	s.restored()
}

func dropsPrivileges(l *lab) {
	s := l.heldSh(`echo $$ >` + l.path("pid") + `; exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo chan''ged; exec sleep 1000'`)
	s.see("changed\r\n")
	child := l.number("pid")
	s.kill(syscall.SIGTERM)
	l.gone(child, "the command", graceLimit)
	s.rc(graceLimit)
}
