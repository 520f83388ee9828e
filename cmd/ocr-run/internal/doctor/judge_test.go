package doctor

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// well is a machine on which nothing is wrong.
func well() Facts {
	return Facts{
		Program: Program{Self: "/usr/local/bin/ocr-run", Found: []string{"/usr/local/bin/ocr-run"}, Same: []bool{true}},
		Home:    Home{UID: 1000, User: "u", Home: "/home/u", Set: true, Exists: true, Owner: 1000, Passwd: "/home/u"},
		State: State{
			Dir: "/home/u/.local/state/ocr-run", Nearest: "/home/u/.local/state/ocr-run", IsDir: true, Writable: true, Filesystem: "ext4", Free: 1 << 34,
			Entries: []Entry{{"/home/u/.local/state/ocr-run", fs.ModeDir | 0o700, 1000}, {"/home/u/.local/state/ocr-run/ledger.db", 0o600, 1000}},
		},
		Terminal: Terminal{Is: [3]bool{true, true, true}, Columns: 80, Rows: 24, Term: "xterm"},
		Ledger: Ledger{
			Path: "/l.db", Exists: true, Schema: 3, Known: 3, Bytes: 4096, LogBytes: 100, Pages: 1, Executions: 2, Events: 3, Checked: true,
			CheckLimit: time.Second, Spool: "/spool",
		},
		Clocks: Clocks{
			Wall: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Awake: time.Hour, WallMoved: time.Second, AwakeMoved: time.Second,
			Newest: time.Date(2026, 1, 31, 11, 0, 0, 0, time.UTC), NewestWhat: "/l.db",
		},
		Machine: Machine{BootID: "b", MachineID: "m", Namespace: 7},
		Kernel:  Kernel{System: "linux", Cgroup: Cgroup{Unified: true, Path: "/user.slice", Ours: true}, OtherPID: 5, Scope: 1},
		Limits:  Limits{Asked: true, Files: 1024, Processes: 4096, Running: 100, FileSize: -1},
		Service: Service{Manager: "systemd", Units: []string{"/u/ocr-run-reap.timer"}, LingerKnown: true, Linger: true, User: "u"},
		Agents:  []Agent{{Name: "claude", Path: "/bin/claude", Version: "2.0", Hooks: HooksInstalled, HookFile: "/s.json"}},
	}
}

func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	seen := map[Check]bool{}
	for _, f := range Judge(well()) {
		seen[f.Check] = true
		if f.Severity != OK || f.Mend != "" || f.Looked == "" || f.Found == "" {
			t.Errorf("%+v", f)
		}
	}
	for _, c := range Checks() {
		if !seen[c] {
			t.Errorf("%s was not judged", c)
		}
	}
}

// Of what nobody looked at nothing is said.
func TestNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, f := range Judge(Facts{State: State{Free: -1}, Home: Home{Set: true, Home: "/h", Exists: true}}) {
		if f.Severity != OK {
			t.Errorf("%+v", f)
		}
	}
}

// TestFindings breaks one thing after the other.
func TestFindings(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		spoil func(*Facts)
		check Check
		want  Severity
		found string
		mend  string
	}{
		{"not in PATH", func(f *Facts) { f.Program.Found, f.Program.Same = nil, nil }, CheckPath, Warn, "not found there", `export PATH=/usr/local/bin:"$PATH"`},
		{"another in PATH", func(f *Facts) { f.Program.Same[0] = false }, CheckPath, Warn, "and not this program", "export PATH="},
		{
			"another behind it", func(f *Facts) {
				f.Program.Found, f.Program.Same = append(f.Program.Found, "/old/ocr-run"), []bool{true, false}
			},
			CheckPath, Note, "there is also /old/ocr-run", "",
		},
		{"other name", func(f *Facts) { f.Program = Program{Self: "/x y/oc"} }, CheckPath, Warn, "not found", "ln -s '/x y/oc' ocr-run"},
		{"no HOME", func(f *Facts) { f.Home.Set = false }, CheckHome, Error, "no place for the ledger", "export HOME=/home/u"},
		{"no HOME, moved", func(f *Facts) { f.Home.Set, f.Home.StateHome = false, "/s" }, CheckHome, Note, "XDG_STATE_HOME is", "export HOME=/home/u"},
		{"no HOME, no user", func(f *Facts) { f.Home = Home{UID: 7} }, CheckHome, Error, "not set", "export XDG_STATE_HOME="},
		{"relative HOME", func(f *Facts) { f.Home.Home = "here" }, CheckHome, Error, `"here" is not absolute`, "export HOME=/home/u"},
		{"missing HOME", func(f *Facts) { f.Home.Exists = false }, CheckHome, Warn, "does not exist", "mkdir -p /home/u"},
		{"somebody else's HOME", func(f *Facts) { f.Home.UID, f.Home.Passwd = 0, "/r" }, CheckHome, Warn, "belongs to user 1000", "sudo -H"},
		{"another HOME", func(f *Facts) { f.Home.Passwd = "/elsewhere" }, CheckHome, Note, "which is /elsewhere", ""},
		{"relative state", func(f *Facts) { f.Home.StateHome = "s" }, CheckHome, Warn, `"s" is not absolute`, "unset XDG_STATE_HOME"},
		{"no directory", func(f *Facts) { f.State.IsDir = false }, CheckState, Error, "is no directory", "mv "},
		{"read-only", func(f *Facts) { f.State.ReadOnly = true }, CheckState, Error, "read-only", "export XDG_STATE_HOME"},
		{"not writable", func(f *Facts) { f.State.Writable = false }, CheckState, Error, "cannot be written to", "chmod u+rwx "},
		{"cannot be made", func(f *Facts) { f.State.Writable, f.State.Nearest = false, "/home" }, CheckState, Error, "cannot be made in /home", "ls -ld /home"},
		{"open directory", func(f *Facts) { f.State.Entries[0].Mode = fs.ModeDir | 0o755 }, CheckModes, Warn, "mode is 0755", "chmod 700 "},
		{"open ledger", func(f *Facts) { f.State.Entries[1].Mode = 0o644 }, CheckModes, Warn, "mode is 0644", "chmod 600 "},
		{"foreign ledger", func(f *Facts) { f.State.Entries[1].Owner = 0 }, CheckModes, Warn, "belongs to user 0", "sudo chown u "},
		{"network", func(f *Facts) { f.State.Remote, f.State.Filesystem = true, "nfs" }, CheckFilesystem, Warn, "nfs is shared by network", "export XDG_STATE_HOME"},
		{"little room", func(f *Facts) { f.State.Free = 5 << 20 }, CheckDisk, Warn, "5.0 MiB are free", "df -h"},
		{"no room", func(f *Facts) { f.State.Free = 100 }, CheckDisk, Error, "100 bytes are free", "df -h"},
		{"no size", func(f *Facts) { f.Terminal.Columns = 0 }, CheckTerminal, Note, "no size", "stty rows"},
		{"no TERM", func(f *Facts) { f.Terminal.Term = "" }, CheckTerminal, Note, "TERM is not set", "export TERM="},
		{"no terminals left", func(f *Facts) { f.Terminal.NoneWhy = "refused" }, CheckTerminal, Warn, "refused", "--pty never"},
		{"no terminals wanted", func(f *Facts) { f.Terminal = Terminal{NoneWhy: "refused"} }, CheckTerminal, Note, "refused", "--pty never"},
		{"damaged", func(f *Facts) { f.Ledger.Damaged, f.Ledger.Trouble = true, "bad" }, CheckLedger, Error, "damaged: bad", "ocr-run ps"},
		{"locked", func(f *Facts) { f.Ledger.Busy, f.Ledger.Trouble = true, "busy" }, CheckLedger, Warn, "locked", "lsof /l.db"},
		{"copied", func(f *Facts) { f.Ledger.Unindexed, f.Ledger.Trouble = true, "no index" }, CheckLedger, Note, "no index", "ocr-run ps"},
		{"unreadable", func(f *Facts) { f.Ledger.Trouble = "denied" }, CheckLedger, Error, "cannot be read: denied", "ls -l"},
		{"too new", func(f *Facts) { f.Ledger.Schema = 9 }, CheckLedger, Error, "a later ocr-run wrote it", "update ocr-run"},
		{"large log", func(f *Facts) { f.Ledger.LogBytes = 1 << 30 }, CheckLedger, Note, "grown to 1.0 GiB", "lsof"},
		{"broken", func(f *Facts) { f.Ledger.Broken = "row 3" }, CheckIntegrity, Error, "row 3", "mv /l.db /l.db.damaged"},
		{"degraded", func(f *Facts) { f.Ledger.Degraded = 2 }, CheckDegraded, Note, "2 of the runs", ""},
		{"spool", func(f *Facts) { f.Ledger.Waiting = 2 }, CheckSpool, Warn, "facts of 2 runs wait", "ocr-run reap --yes"},
		{"rejected", func(f *Facts) { f.Ledger.Rejected = 1 }, CheckSpool, Error, "no ledger will take", "ls /spool"},
		{"clock set", func(f *Facts) { f.Clocks.WallMoved = time.Hour }, CheckClock, Warn, "was set by 59m59s", "timedatectl"},
		{"clock behind", func(f *Facts) { f.Clocks.Newest = f.Clocks.Wall.Add(25 * time.Hour) }, CheckClock, Warn, "/l.db was written 25h00m later", "timedatectl"},
		{"clock stands", func(f *Facts) { f.Clocks.Awake = 0 }, CheckClock, Error, "does not move", ""},
		{"no boot", func(f *Facts) { f.Machine.BootTrouble = "no /proc" }, CheckBoot, Error, "no /proc", "mount -t proc"},
		{"no machine", func(f *Facts) { f.Machine.MachineID = "" }, CheckMachine, Note, "has none", "systemd-machine-id-setup"},
		{"no machine, shared", func(f *Facts) { f.Machine.MachineID, f.State.Remote = "", true }, CheckMachine, Warn, "shared by network", "systemd-machine-id-setup"},
		{"namespace", func(f *Facts) { f.Machine.Own = true }, CheckNamespace, Note, "neither seen nor stopped", ""},
		{"no subreaper", func(f *Facts) { f.Kernel.Subreaper = "refused" }, CheckSubreaper, Warn, "refused", ""},
		{"macOS", func(f *Facts) { f.Kernel.System = "darwin" }, CheckSubreaper, Note, "has none", ""},
		{"macOS hides", func(f *Facts) { f.Kernel.System = "darwin" }, CheckProcesses, Note, "hides", ""},
		{"no pidfd", func(f *Facts) { f.Kernel.Pidfd = "refused" }, CheckPidfd, Note, "refused", ""},
		{"no cgroup v2", func(f *Facts) { f.Kernel.Cgroup = Cgroup{} }, CheckCgroup, Note, "no unified hierarchy", ""},
		{"cgroup of others", func(f *Facts) { f.Kernel.Cgroup.Ours = false }, CheckCgroup, Note, "/user.slice is not delegated", "systemd-run --user --scope"},
		{"hidepid", func(f *Facts) { f.Kernel.Hidden = "2" }, CheckProcesses, Note, "hidepid=2", ""},
		{"ptrace", func(f *Facts) { f.Kernel.Scope = 3 }, CheckProcesses, Note, "it is 3", "sudo sysctl"},
		{"sockets", func(f *Facts) { f.Kernel.Sockets = "denied" }, CheckProcesses, Note, "cannot be seen: denied", ""},
		{"environments", func(f *Facts) { f.Kernel.OtherTrouble = "denied" }, CheckProcesses, Warn, "process 5 cannot be read", ""},
		{"few files", func(f *Facts) { f.Limits.Files = 20 }, CheckLimits, Warn, "20 open files", "ulimit -n 1024"},
		{"few processes", func(f *Facts) { f.Limits.Running = 4095 }, CheckLimits, Warn, "you have 4095", "ulimit -u"},
		{"small files", func(f *Facts) { f.Limits.FileSize = 4096 }, CheckLimits, Warn, "beyond 4 KiB", "ulimit -f unlimited"},
		{"no service", func(f *Facts) { f.Service.Units, f.Service.Install = nil, "do it" }, CheckService, Note, "no systemd unit", "do it"},
		{"service broken", func(f *Facts) { f.Service.Problems = []string{"it is not active"} }, CheckService, Warn, "not active", "ocr-run service status"},
		{"no linger", func(f *Facts) { f.Service.Linger = false }, CheckLinger, Warn, "stops when you log out", "loginctl enable-linger u"},
		{"no linger needed", func(f *Facts) { f.Service.Linger, f.Service.Units = false, nil }, CheckLinger, Note, "units end", "loginctl enable-linger u"},
		{"no agents", func(f *Facts) { f.Agents = []Agent{{Name: "pi"}, {Name: "codex"}} }, CheckAgent, Note, "codex, pi", ""},
		{"agent broken", func(f *Facts) { f.Agents[0].Failure = "it exited 1" }, CheckAgent, Warn, "it exited 1", "claude --version"},
		{"agent at home", func(f *Facts) { f.Agents[0].Failure, f.Agents[0].AtHome = "it exited 1", true }, CheckAgent, Note, "in an empty home", "claude --version"},
		{"no hooks", func(f *Facts) { f.Agents[0].Hooks = HooksNone }, CheckHooks, Note, "claude has none", "ocr-run hook install claude"},
		{"old hooks", func(f *Facts) { f.Agents[0].Hooks = HooksPartly }, CheckHooks, Warn, "another version", "ocr-run hook install claude"},
		{
			"dead hooks", func(f *Facts) { f.Agents[0].Hooks, f.Agents[0].HookProgram = HooksDead, "/gone" }, CheckHooks, Warn,
			"call /gone", "ocr-run hook uninstall claude && ocr-run hook install claude",
		},
		{"unreadable settings", func(f *Facts) { f.Agents[0].Hooks, f.Agents[0].HookTrouble = HooksUnreadable, "bad" }, CheckHooks, Warn, "bad", "ls -l /s.json"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			facts := well()
			c.spoil(&facts)
			all := Judge(facts)
			i := slices.IndexFunc(all, func(f Finding) bool { return f.Check == c.check && f.Severity == c.want })
			if i < 0 || !strings.Contains(all[i].Found, c.found) || !strings.Contains(all[i].Mend, c.mend) || (c.mend == "") != (all[i].Mend == "") {
				t.Errorf("%+v", all)
			}
			for _, f := range all {
				if f.Severity == Error && c.want != Error {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// What is as it should be may say more than one thing.
func TestWords(t *testing.T) {
	t.Parallel()
	f := well()
	f.State.Nearest, f.State.Entries, f.Ledger.Exists = "/home/u", nil, false
	f.Clocks.Suspended, f.Clocks.Awake = 2*time.Hour, 100*time.Hour
	f.Terminal, f.Ledger.Checked = Terminal{}, false
	f.Machine.Container, f.Limits.Processes = "a docker container", -1
	f.Agents = append(f.Agents, Agent{Name: "pi"})
	var text strings.Builder
	for _, found := range Judge(f) {
		text.WriteString(found.Found + "\n")
		if found.Severity != OK {
			t.Errorf("%+v", found)
		}
	}
	for _, want := range []string{
		"does not exist yet", "there is none yet", "awake for 4d4h since the boot, and asleep for 2h00m of it", "none is a terminal",
		"that of the machine, in a docker container", "any number of processes", "not there: pi",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, text.String())
		}
	}
	if got := Judge(Facts{Ledger: Ledger{Path: "/l", Exists: true, Schema: 1, Known: 3, CheckLimit: time.Second, Executions: -1}}); !slices.ContainsFunc(got,
		func(f Finding) bool { return strings.Contains(f.Found, "schema 1, brought to 3 by the next run") }) {
		t.Errorf("%+v", got)
	}
}

// TestChecksAreDocumented checks that the manual names each check, in their order.
func TestChecksAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(b), "\n## ocr-run doctor\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	at := 0
	for _, c := range Checks() {
		i := strings.Index(chapter[at:], "`"+string(c)+"`")
		if i < 0 {
			t.Fatalf("%s is not documented, or not in its place", c)
		}
		at += i
	}
}
