package runfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// helperArg makes the test binary one of the processes below.
const helperArg = "-runfile-helper"

// TestMain turns the binary into a helper when asked to.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == helperArg {
		helper(os.Args[2], os.Args[3])
		return
	}
	goleak.VerifyTestMain(m)
}

// helper is the body of a helper process.
func helper(what, arg string) {
	switch what {
	case "hold":
		// Take the lease of run "u" below arg, say so, and wait to be killed.
		f, err := Create(arg, "u")
		fmt.Println("holding", err)
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = f.Release(false)
	case "write":
		// Write record after record into the file arg, until killed.
		fmt.Println("writing")
		for i := int64(1); ; i++ {
			if err := WriteExit(arg, numbered(i), true); err != nil {
				fmt.Println(err)
				return
			}
		}
	case "descriptors":
		// Which of the descriptors above the standard ones are open here?
		var open []string
		for fd := 3; fd < 256; fd++ {
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
				name, _ := os.Readlink(fmt.Sprintf("/dev/fd/%d", fd))
				open = append(open, name)
			}
		}
		fmt.Println(strings.Contains(strings.Join(open, "\n"), arg), len(open) > 0)
	}
}

// numbered is a record whose every part tells its number.
func numbered(i int64) ExitRecord {
	return ExitRecord{
		UID: "0190b3a4-7a6e-7cc1-8c6e-000000000001", Generation: i, End: "exited", ExitCode: new(int(i % 256)),
		At: lifecycle.Instant{WallMS: i, AwakeMS: i, BootID: "boot"}, Note: strings.Repeat("x", int(i%200)),
	}
}
