package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// roleVariable makes the test binary play a process of a test.
const roleVariable = "OCR_RUN_STORE_TEST_ROLE"

// playRole runs a role on the ledger given as the first argument and returns
// the exit code.
func playRole(role string) int {
	unix.Umask(0)
	l, err := store.Open(context.Background(), store.Config{Path: os.Args[1]})
	if err == nil {
		switch role {
		case "announce":
			_, err = l.Announce(context.Background(), storetest.Announcement("pid-"+strconv.Itoa(os.Getpid()), os.Getpid(), 1))
		case "writer":
			err = writeForever(l)
		case "flows":
			err = flowsForever(l)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// writeForever lives one life after another and acknowledges every committed
// write with one line, until it is killed.
func writeForever(l *store.Ledger) error {
	ctx := context.Background()
	for n := 1; ; n++ {
		uid := os.Args[2] + "-" + strconv.Itoa(n)
		if _, err := l.Announce(ctx, storetest.Announcement(uid, os.Getpid(), int64(n))); err != nil {
			return err
		}
		acknowledge("announced", uid)
		if err := l.Launched(ctx, storetest.Launch(uid, os.Getpid(), int64(n))); err != nil {
			return err
		}
		acknowledge("launched", uid)
		for range rand.IntN(3) {
			if _, err := l.Beat(ctx, store.Beat{UID: uid, Generation: 1, At: storetest.At(int64(n))}); err != nil {
				return err
			}
			acknowledge("beat", uid)
		}
		if err := finish(ctx, l, storetest.Exit(uid, n%256, int64(n))); err != nil {
			return err
		}
		acknowledge("finished", uid)
	}
}

func acknowledge(what, uid string) { _, _ = os.Stdout.WriteString(what + " " + uid + "\n") }
