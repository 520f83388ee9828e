package proc

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestParseMarker(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  []string
		want Marker
	}{
		"nothing":                    {nil, Marker{}},
		"others only":                {[]string{"A=b", "OCR_RUN_X=y", "OCR_RUN_UIDS=z"}, Marker{}},
		"all":                        {[]string{"A=b", "OCR_RUN_UID=u", "OCR_RUN_LINEAGE=r/u", "OCR_RUN_KEEP=r", "B=c"}, Marker{"u", "r/u", "r"}},
		"first":                      {[]string{"OCR_RUN_UID=u", "OCR_RUN_UID=v"}, Marker{UID: "u"}},
		"in a value":                 {[]string{"A=OCR_RUN_UID=u", "B=x OCR_RUN_UID=u"}, Marker{}},
		"at the end of another name": {[]string{"MY_OCR_RUN_UID=u"}, Marker{}},
		"in a value, then its own":   {[]string{"A=OCR_RUN_UID=no", "OCR_RUN_UID=u"}, Marker{UID: "u"}},
		"without a value":            {[]string{"OCR_RUN_UID", "OCR_RUN_LINEAGE="}, Marker{}},
	} {
		for _, end := range []string{"", "\x00"} {
			if got := parseMarker([]byte(strings.Join(tt.env, "\x00") + end)); got != tt.want {
				t.Errorf("%s: %+v, want %+v", name, got, tt.want)
			}
		}
	}
}

func TestMarkerLists(t *testing.T) {
	t.Parallel()
	m := Marker{Lineage: "root/parent/self", Keep: "a/b"}
	for uid, below := range map[string]bool{"root": true, "self": true, "par": false, "": false} {
		if m.Below(uid) != below {
			t.Errorf("below %q: %v", uid, !below)
		}
	}
	for uid, spared := range map[string]bool{"a": true, "b": true, "a/b": false, "": false, "c": false} {
		if m.Spared(uid) != spared {
			t.Errorf("spared from %q: %v", uid, !spared)
		}
	}
}

// A real marker is read, however large the environment around it is.
func TestMarkerReader(t *testing.T) {
	t.Parallel()
	var reader MarkerReader
	for _, size := range []int{0, 100_000} {
		cmd := sitter("plain")
		cmd.Env = []string{"PAD=" + strings.Repeat("x", size), EnvUID + "=u", EnvLineage + "=r/u", EnvKeep + "=r"}
		pid := spawn(t, 1, cmd)["plain"]
		m, err := reader.Read(pid)
		args, argsErr := Args(pid)
		p, _ := Read(pid)
		reason, stays := Stays(p, "r")
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if err != nil || m != (Marker{"u", "r/u", "r"}) || argsErr != nil || args[len(args)-1] != "plain" || !stays || reason == "" {
			t.Errorf("%+v, %v, %q, %v, stays %v", m, err, args, argsErr, stays)
		}
	}
	gone := exec.Command(os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(gone.Process.Pid); !errors.Is(err, ErrGone) {
		t.Errorf("of one that is gone: %v", err)
	}
}

func TestSharedDaemon(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"/usr/bin/bazel(work) -XX:+X": "bazel server", "SCREEN -dmS x": "screen server",
		"ssh: /tmp/sock [mux]": "shared ssh connection", "ssh host [mux] x": "", "watchman --foreground --logfile=x": "watchman server",
		"watchman get-sockname": "", "git maintenance run --auto": "git maintenance", "git -c gc.auto=1 -C /x gc --auto": "git maintenance",
		"/usr/lib/git-core/git-credential-cache--daemon s": "git credential cache", "git fsmonitor--daemon run": "git file system monitor",
		"git log gc": "", "git": "", "gpg-agent --daemon": "gpg-agent", "adb -L tcp:5037 fork-server server": "adb", "adb shell": "",
		"/jdk/bin/java -cp x org.gradle.launcher.daemon.bootstrap.GradleDaemon 8": "gradle daemon", "java -jar app.jar": "",
		"java x org.jetbrains.kotlin.daemon.KotlinCompileDaemon": "kotlin daemon", "node server.js": "", "": "", "tmux new": "",
		"/opt/codex -c a=b app-server --managed-daemon": "codex server", "node /usr/bin/codex app-server --managed-daemon": "codex server",
		"node /x/bin/codex.js app-server --managed-daemon": "codex server", "codex app-server daemon pid-update-loop": "codex server",
		"codex app-server --listen stdio://": "", "codex exec app-server": "", "codex": "", "other app-server --managed-daemon": "",
	} {
		got, shared := SharedDaemon(Process{Name: "x", PID: 5, SID: 4, TTY: 1}, strings.Fields(line))
		if got != want || shared != (want != "") {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	for _, p := range []Process{{Name: "tmux: server"}, {Name: "tmux", PID: 5, SID: 5}} {
		if got, _ := SharedDaemon(p, []string{"tmux", "new"}); got != "tmux server" {
			t.Errorf("%+v: %q", p, got)
		}
	}
}

func TestCgroupPaths(t *testing.T) {
	t.Parallel()
	if got := unifiedCgroup("12:cpu:/a\n1:name=systemd:/b\n0::/user.slice/c\n"); got != "/user.slice/c" {
		t.Errorf("%q", got)
	}
	if got := unifiedCgroup("1:cpu:/a\n"); got != "" {
		t.Errorf("%q", got)
	}
	for _, tt := range []struct {
		path, top string
		want      bool
	}{{"/a/b", "/a", true}, {"/a", "/a/", true}, {"/ab", "/a", false}, {"/a", "", false}, {"/a", "/", false}, {"", "/a", false}} {
		if InCgroup(tt.path, tt.top) != tt.want {
			t.Errorf("%q in %q: %v", tt.path, tt.top, !tt.want)
		}
	}
	if _, err := Cgroup(os.Getpid()); err != nil {
		t.Error(err)
	}
}
