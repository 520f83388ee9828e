package ptytest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// MarkerName is the environment variable by which everything a terminal started is recognised.
const MarkerName = "PTYTEST_ID"

const (
	defaultRows, defaultCols = 24, 80
	// sendLimit bounds one Send; it outlasts a loaded machine moving some megabytes through a terminal.
	sendLimit = 60 * time.Second
)

// ErrHungUp is returned for what needs the terminal after Hangup or Close.
var ErrHungUp = errors.New("terminal is hung up")

// Config says what to run on the terminal. Only Argv is required.
type Config struct {
	// Argv is the command and its arguments; the command is looked up in PATH.
	Argv []string
	// Dir is the working directory; empty means the caller's.
	Dir string
	// Env is the environment; nil means the caller's. The marker is added to it.
	Env []string
	// Marker is the marker's value; empty means one that no other terminal has.
	Marker string
	// Rows and Cols are the first size; zero means 24 and 80.
	Rows, Cols uint16
	// Paused starts the terminal standing still, see Terminal.Pause.
	Paused bool
	// Throttle, when set, is called by the reader with the number of bytes just read and may block: a slow terminal.
	Throttle func(n int)
}

// Terminal is a running command and the terminal it runs on. Methods may be called from several goroutines.
type Terminal struct {
	marker   string
	cmd      *exec.Cmd
	device   uint64 // the terminal's device number, to find its holders
	throttle func(n int)

	readerDone chan struct{}
	exited     chan struct{} // closed when the command was waited for; state and waitErr are set before

	mu      sync.Mutex
	master  *os.File // nil when hung up
	output  []byte
	seen    int           // how much of output Expect has consumed
	changed chan struct{} // closed and replaced whenever the reader's view changes
	paused  bool
	parked  bool // the reader has seen that it is paused
	ended   bool // the reader is gone: output is final
	hungUp  bool
	waitErr error
}

// Start opens a terminal and runs the command on it. The caller must Close what it returns.
func Start(config Config) (*Terminal, error) {
	if len(config.Argv) == 0 {
		return nil, errors.New("start on a terminal: no command")
	}
	master, slave, err := openPair(config)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	// The command holds its own copies. A holder in this process would keep the terminal alive after the command.
	defer func() { _ = slave.Close() }()
	t := &Terminal{
		marker: config.Marker, throttle: config.Throttle, master: master, paused: config.Paused,
		readerDone: make(chan struct{}), exited: make(chan struct{}), changed: make(chan struct{}),
	}
	if t.marker == "" {
		t.marker = rand.Text()
	}
	if t.device, err = deviceOf(slave); err == nil {
		t.cmd = t.command(config, slave)
		err = t.cmd.Start()
	}
	if err != nil {
		_ = master.Close()
		return nil, fmt.Errorf("start %s: %w", config.Argv[0], err)
	}
	go t.read(master)
	go t.wait()
	return t, nil
}

func (t *Terminal) command(config Config, slave *os.File) *exec.Cmd {
	cmd := exec.Command(config.Argv[0], config.Argv[1:]...)
	cmd.Dir, cmd.Env = config.Dir, config.Env
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(slices.Clip(cmd.Env), MarkerName+"="+t.marker)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return cmd
}

func (t *Terminal) wait() {
	t.waitErr = t.cmd.Wait()
	close(t.exited)
}

// openPair returns both ends, sized. The master is a non-blocking duplicate that the runtime's poller knows, because
// pty.Open leaves its own in blocking mode, where neither a deadline nor Close ends a read.
func openPair(config Config) (master, slave *os.File, err error) {
	first, slave, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = first.Close() }()
	rows, cols := config.Rows, config.Cols
	if rows == 0 || cols == 0 {
		rows, cols = defaultRows, defaultCols
	}
	fd := -1
	if err = pty.Setsize(first, &pty.Winsize{Rows: rows, Cols: cols}); err == nil {
		fd, err = unix.FcntlInt(first.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = slave.Close()
		if fd >= 0 {
			_ = unix.Close(fd)
		}
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), "terminal"), slave, nil
}

// Pid is the process id of the command, which is also its session id.
func (t *Terminal) Pid() int { return t.cmd.Process.Pid }

// Signal sends a signal to the command alone, not to its process group.
func (t *Terminal) Signal(sig syscall.Signal) error {
	if err := t.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", t.cmd.Path, err)
	}
	return nil
}

// Wait waits for the command, not for its terminal, and returns how it ended. It may be called again.
func (t *Terminal) Wait(within time.Duration) (syscall.WaitStatus, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-t.exited:
	case <-timer.C:
		return 0, fmt.Errorf("wait for %s: still running after %v", t.cmd.Path, within)
	}
	if exit := (*exec.ExitError)(nil); t.waitErr != nil && !errors.As(t.waitErr, &exit) {
		return 0, fmt.Errorf("wait for %s: %w", t.cmd.Path, t.waitErr)
	}
	status, _ := t.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status, nil
}

// Hangup closes the terminal, as closing its window does: the kernel tells the session by SIGHUP. What was read stays readable.
func (t *Terminal) Hangup() error {
	t.mu.Lock()
	master := t.master
	t.master, t.hungUp = nil, true
	t.notify()
	t.mu.Unlock()
	if master == nil {
		return nil
	}
	err := master.Close()
	<-t.readerDone
	return err
}
