package supervisor

import (
	"errors"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/supervisor/internal/connection"
)

// receivedRate is how many bytes a second must come in over an agent's connections
// to count as an answer. What servers send to keep a connection open is less.
const receivedRate = 64

// connections is what is known of a run's connections. Its zero value has not looked.
type connections struct {
	// old and middle are looks far enough apart for proof, latest is the last one.
	old, middle, latest connection.Look
	// none: this system does not tell. failures are looks in a row that failed.
	none     bool
	failures int
	// dead names the connection that is dead, empty for none; died is the last one
	// that was, and when it was last seen so.
	dead string
	died deadConnection
	// found is told of each connection that is found dead.
	found func(name string, lasted time.Duration)
}

// deadConnection is a connection whose other end did not answer.
type deadConnection struct {
	name string
	at   clock.Reading
}

// look takes a look, and says whether data comes in and which connection is dead.
func (c *connections) look(pids []int, now clock.Reading) (receives bool, dead string) {
	if c.none {
		return false, ""
	}
	look, err := connection.Take(pids, now.Awake)
	if c.answered(err); err != nil {
		return false, ""
	}
	if over := look.At - c.latest.At; c.latest.At > 0 && over > 0 {
		receives = float64(received(c.latest, look)) >= receivedRate*over.Seconds()
	}
	if look.At-c.middle.At >= connection.ProofAfter {
		c.old, c.middle = c.middle, look
	}
	c.latest = look
	c.judge(connection.Judge(c.old, look, connection.ProofAfter), now)
	return receives, c.dead
}

// failuresMost is how many looks in a row may fail before no more are taken. One that
// is not answered takes a second.
const failuresMost = 3

// answered takes in whether a look was answered.
func (c *connections) answered(err error) {
	if err == nil {
		c.failures = 0
		return
	}
	c.failures++
	c.none = c.failures >= failuresMost || errors.Is(err, errors.ErrUnsupported)
}

// pass lets a look pass: whatever was dead is not what the run waits for.
func (c *connections) pass() { c.dead = "" }

// judge takes in a verdict on all connections.
func (c *connections) judge(all []connection.Judged, now clock.Reading) {
	worst, ok := connection.Worst(all)
	if !ok || worst.Standing != connection.Dead {
		c.dead = ""
		return
	}
	name := worst.Peer.String()
	if name != c.dead && c.found != nil {
		c.found(name, worst.For)
	}
	c.dead, c.died = name, deadConnection{name, now}
}

// received is how many bytes came in between two looks, over connections that are
// in both.
func received(before, after connection.Look) (n int64) {
	old := make(map[uint64]int64, len(before.Sockets))
	for _, s := range before.Sockets {
		old[s.Cookie] = s.Received
	}
	for _, s := range after.Sockets {
		if was, ok := old[s.Cookie]; ok {
			n += max(s.Received-was, 0)
		}
	}
	return n
}
