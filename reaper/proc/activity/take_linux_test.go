package activity

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

func TestTakeSeesWork(t *testing.T) {
	t.Parallel()
	self := []int{os.Getpid(), os.Getpid(), 1 << 30}
	before := Take(self)
	if before.Processes != 1 || before.Resident < 1<<20 || before.Unreadable != 0 {
		t.Errorf("Take() = %+v", before)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := null.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	// A few ticks of computing.
	var c Change
	for spin := 0; c.CPU < 50*time.Millisecond; spin++ {
		if spin%1e6 == 0 {
			c = Compare(before, Take(self), 100*time.Millisecond)
		}
	}
	if c.WriteBytes < 1<<20 || c.Doing(0) != Both {
		t.Errorf("Compare() = %+v, %s", c, c.Doing(0))
	}
}

// What a child did counts after it is gone.
func TestTakeSeesTheBuried(t *testing.T) {
	t.Parallel()
	before, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=64").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	after, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if c := Compare(before, after, time.Second); c.WriteBytes < 64<<20 || c.ReadBytes < 64<<20 {
		t.Errorf("Compare() = %+v", c)
	}
}

func TestTakeLeavesOutTheDead(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), "true")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// Its end of the pipe is closed as it dies; the exit is not taken in yet.
	out.Read(make([]byte, 1))
	for range 1_000_000 {
		if Take([]int{child.Process.Pid}).Processes == 0 {
			break
		}
	}
	if s := Take([]int{child.Process.Pid}); s.Processes != 0 || s.CPU != 0 {
		t.Errorf("a zombie: %+v", s)
	}
	child.Wait()
	if s := Take(nil); s.Processes != 0 {
		t.Errorf("nobody: %+v", s)
	}
}

func TestTakeCountsTheHidden(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("nothing is hidden from root")
	}
	if s := Take([]int{1}); s.Processes != 1 || s.Unreadable != 1 || s.ReadBytes != 0 {
		t.Errorf("Take() = %+v", s)
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	line := func(state, threads string) []byte {
		return []byte("9 (a) Z 1) " + state + " 1 2 3 0 -1 4194304 1 2 3 4 500 60 7 8 20 0 " + threads + " 0 987 10 42 11\n")
	}
	k, u, ok := parseStat(9, line("S", "1"), 4096)
	if want := (usage{cpu: 5600 * time.Millisecond, buried: 150 * time.Millisecond, resident: 42 * 4096}); !ok || k != (key{9, 987}) || u != want {
		t.Errorf("parseStat() = %+v, %+v, %v", k, u, ok)
	}
	if _, _, ok := parseStat(9, line("Z", "2"), 4096); !ok {
		t.Error("one that lost its first thread counts as dead")
	}
	for _, bad := range []string{"", "9", "9 (a)", "9 (a) S 1 2", string(line("Z", "1")), string(line("X", "1")), string(line("SS", "1"))} {
		if _, _, ok := parseStat(9, []byte(bad), 4096); ok {
			t.Errorf("parseStat(%q) is content", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("9 (a) S 1 2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, u, _ := parseStat(9, b, 4096); u.cpu < 0 && len(b) < 60 {
			t.Errorf("parseStat(%q) = %+v", b, u)
		}
	})
}

// BenchmarkTake is the cost of a sample of that many processes.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			pids := make([]int, n)
			for i := range pids {
				child := exec.CommandContext(b.Context(), "sleep", "60")
				if err := child.Start(); err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { child.Process.Kill(); child.Wait() })
				pids[i] = child.Process.Pid
			}
			for b.Loop() {
				if s := Take(pids); s.Processes != n {
					b.Fatalf("%+v", s)
				}
			}
		})
	}
}
