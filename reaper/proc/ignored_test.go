package proc

import (
	"errors"
	"math"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// What a process ignores is known of it, and of nobody who is not there.
func TestIgnores(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/sh", "-c", `trap "" INT; echo; read x`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for sig, want := range map[unix.Signal]bool{unix.SIGINT: true, unix.SIGUSR1: false} {
		if got, err := Ignores(cmd.Process.Pid, sig); got != want || err != nil {
			t.Errorf("%v: %v, %v", sig, got, err)
		}
	}
	_ = in.Close()
	_ = cmd.Wait()
	if _, err := Ignores(math.MaxInt32, unix.SIGINT); !errors.Is(err, ErrGone) {
		t.Errorf("nobody: %v", err)
	}
}
