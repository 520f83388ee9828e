package inhibit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// acquireWithin bounds everything. The bus answers in milliseconds; one that hangs
// must not keep a run from anything.
const acquireWithin = time.Second

// systemBus is where the bus is when the environment names no other place.
const systemBus = "unix:path=/run/dbus/system_bus_socket"

// Acquire keeps the machine awake until the lock is released or this process ends.
// why is shown to whoever asks what keeps it awake. It may take a second.
func Acquire(ctx context.Context, why string) (*Lock, error) {
	bus := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS")
	if bus == "" {
		bus = systemBus
	}
	return acquire(ctx, bus, why)
}

// acquire asks the logind on a bus.
func acquire(ctx context.Context, bus, why string) (*Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, acquireWithin)
	defer cancel()
	conn, err := dbus.Connect(bus, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("keep awake: reach the system bus: %w", reason(ctx, err))
	}
	defer conn.Close() //nolint:errcheck // everything was said
	// Without a seat one may not decide about the sleep of others.
	fd, err := inhibit(ctx, conn, "sleep:idle", why)
	if refused(err) {
		fd, err = inhibit(ctx, conn, "idle", why)
	}
	if err != nil {
		return nil, fmt.Errorf("keep awake: ask logind: %w", reason(ctx, err))
	}
	unix.CloseOnExec(fd)
	held := os.NewFile(uintptr(fd), "sleep inhibitor")
	return &Lock{release: held.Close}, nil
}

// inhibit takes one lock.
func inhibit(ctx context.Context, conn *dbus.Conn, what, why string) (int, error) {
	var fd dbus.UnixFD
	logind := conn.Object("org.freedesktop.login1", "/org/freedesktop/login1")
	call := logind.CallWithContext(ctx, "org.freedesktop.login1.Manager.Inhibit", 0, what, "ocr-run", why, "block")
	err := call.Store(&fd)
	return int(fd), err
}

// refused says whether the answer is that we may not, as opposed to that it did not
// work.
func refused(err error) bool {
	var answer dbus.Error
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.Name {
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired":
		return true
	default:
		return false
	}
}

// reason prefers the end of our patience to the broken connection it causes.
func reason(ctx context.Context, err error) error {
	if context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}
