package proc

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// line is a stat line with the name in question.
func line(name string) string {
	return fmt.Sprintf("4242 (%s) S 17 18 19 34816 20 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654321 10 11 12\n", name)
}

// hostile are names meant to look like the rest of the line.
func hostile() []string {
	return []string{
		"agent", "", " ", "a b", "(sd-pam)", "a) Z 1 1 1 1", ")", "(", ")))(((", "a\nb", "\x00", "ü)", "x) R (y",
		") Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	for _, name := range hostile() {
		want := Process{PID: 4242, PPID: 17, PGID: 18, SID: 19, TTY: 34816, Start: 987654321, State: 'S', Name: name, threads: 1}
		if got, err := parseStat([]byte(line(name))); err != nil || got != want {
			t.Errorf("parseStat(%q) = %+v, %v", name, got, err)
		}
	}
}

func TestParseStatRefusesNonsense(t *testing.T) {
	t.Parallel()
	good := line("agent")
	for _, bad := range []string{
		"", "4242", "4242 agent S 1", "(agent) S 1 2 3", "4242 (agent", "4242 (agent) S 17 18",
		strings.Replace(good, "4242", "-1", 1), strings.Replace(good, "4242", "x", 1),
		strings.Replace(good, " S ", " SS ", 1), strings.Replace(good, " 17 ", " seventeen ", 1),
		strings.Replace(good, "987654321", "-5", 1), good[:strings.Index(good, " 987654321")],
	} {
		if got, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) = %+v", bad, got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name, line(name))
	}
	f.Fuzz(func(t *testing.T, name, raw string) {
		if got, err := parseStat([]byte(line(name))); err != nil || got.Name != name || got.PID != 4242 {
			t.Errorf("parseStat(%q) = %+v, %v", name, got, err)
		}
		if got, err := parseStat([]byte(raw)); err == nil && got.PID < 1 {
			t.Errorf("parseStat(%q) = %+v", raw, got)
		}
	})
}

// A process may name itself anything; the real table is read all the same.
func TestReadHostileName(t *testing.T) {
	const name = "a) Z 1 (1"
	defer lockedName(t, name)()
	got, err := readInto(fmt.Sprintf("/proc/self/task/%d/stat", unix.Gettid()), make([]byte, statSize))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := parseStat(got); err != nil || p.Name != name || p.Dead() {
		t.Errorf("parseStat(%q) = %+v, %v", got, p, err)
	}
}

// A process whose first thread has ended looks like a zombie and is none.
func TestHeadlessProcessLives(t *testing.T) {
	pid, _ := child(t, "headless")
	var p Process
	eventually(t, "the first thread has ended", func() bool {
		var err error
		p, err = Read(pid)
		return err == nil && p.State == 'Z'
	})
	if p.Dead() || !Alive(pid, p.Start) {
		t.Errorf("%+v is called dead", p)
	}
	if err := Signal(pid, p.Start, unix.SIGKILL); err != nil {
		t.Errorf("Signal() = %v", err)
	}
	eventually(t, "the process is dead", func() bool { return !Alive(pid, p.Start) })
}

// Both ways to find children agree.
func TestScanAgreesWithFiles(t *testing.T) {
	a, _ := child(t, "plain")
	b, _ := child(t, "setsid")
	files, err := Children(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	scan, err := scanChildren(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{a, b} {
		if !slices.Contains(files, pid) || !slices.Contains(scan, pid) {
			t.Errorf("%d is missing in %v or %v", pid, files, scan)
		}
	}
}

func TestChildless(t *testing.T) {
	if !Childless() {
		t.Fatal("a fresh test process has children")
	}
	child(t, "plain")
	if Childless() {
		t.Error("a parent is called childless")
	}
}

func BenchmarkDescendantsOfNobody(b *testing.B) {
	for b.Loop() {
		if _, err := Descendants(os.Getpid()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChildren(b *testing.B) {
	for b.Loop() {
		if _, err := Children(os.Getpid()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := Self(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAll(b *testing.B) {
	n := 0
	for b.Loop() {
		all, err := All()
		if err != nil {
			b.Fatal(err)
		}
		n = len(all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/process")
}

// BenchmarkDescendants walks down from the first process of the system.
func BenchmarkDescendants(b *testing.B) {
	n := 0
	for b.Loop() {
		all, err := Descendants(1)
		if err != nil {
			b.Fatal(err)
		}
		n = len(all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(max(n, 1)), "ns/process")
}
