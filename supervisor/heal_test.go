package supervisor

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/supervisor/internal/connection"
)

// socketTo is an established connection to a peer, named by its cookie.
func socketTo(cookie uint64, peer string) connection.Socket {
	return connection.Socket{PID: 1, Cookie: cookie, Peer: netip.MustParseAddrPort(peer), State: connection.Established}
}

// unanswered is a connection whose peer has kept silent for that long while the
// kernel asked.
func unanswered(s connection.Socket, silent time.Duration) connection.Socket {
	s.Unacked, s.Retransmits, s.Probes, s.LastAck = 100, 6, 6, silent
	return s
}

func TestHealing(t *testing.T) {
	t.Parallel()
	const dead, alive, here, fresh = 1, 2, 3, 4
	deadOne, aliveOne := socketTo(dead, "192.0.2.1:443"), socketTo(alive, "192.0.2.2:443")
	hereOne, freshOne := socketTo(here, "127.0.0.1:8080"), socketTo(fresh, "192.0.2.3:443")
	before := connection.Look{At: time.Hour, Sockets: []connection.Socket{deadOne, aliveOne, hereOne}}
	tests := []struct {
		name  string
		slept time.Duration
		shut  error
		want  []string
		asked []uint64
		undid []uint64
	}{
		{"a night", 8 * time.Hour, nil, []string{"192.0.2.1:443"}, []uint64{dead, alive}, []uint64{alive}},
		{"a nap", 10 * time.Second, nil, nil, nil, nil},
		{"no right to", 8 * time.Hour, errors.ErrUnsupported, nil, []uint64{dead, alive}, []uint64{alive}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var healed []string
				var asked, undid []uint64
				h := newHealer(&clocktest.Fake{}, func(error) {}, func(peers []string) { healed = append(healed, peers...) })
				h.take = func([]int) (connection.Look, error) {
					after := time.Since(began)
					gone := deadOne
					if after > 0 { // it was idle until it was asked
						gone = unanswered(deadOne, after+time.Minute)
					}
					return connection.Look{At: time.Hour + after, Sockets: []connection.Socket{gone, aliveOne, hereOne, freshOne}}, nil
				}
				h.ask = func(s connection.Socket) (func() error, error) {
					asked = append(asked, s.Cookie)
					return func() error { undid = append(undid, s.Cookie); return nil }, nil
				}
				h.shut = func(s connection.Socket) (connection.Act, error) {
					if s.Cookie != dead {
						t.Errorf("shut %s", s.Peer)
					}
					return connection.Reset, tt.shut
				}
				h.slept(before, []int{1}, tt.slept)
				h.wg.Wait()
				h.stop()
				if !slices.Equal(healed, tt.want) || !slices.Equal(asked, tt.asked) || !slices.Equal(undid, tt.undid) {
					t.Errorf("healed %v, asked %v, undid %v; want %v, %v, %v", healed, asked, undid, tt.want, tt.asked, tt.undid)
				}
			})
		})
	}
}

// TestHealingEndsWithTheRun: the end of a run waits for no look.
func TestHealingEndsWithTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := socketTo(1, "192.0.2.1:443")
		look := connection.Look{At: time.Hour, Sockets: []connection.Socket{s}}
		undone := false
		h := newHealer(&clocktest.Fake{}, func(error) {}, func([]string) { t.Error("healed") })
		h.take = func([]int) (connection.Look, error) { return look, nil }
		h.ask = func(connection.Socket) (func() error, error) {
			return func() error { undone = true; return nil }, nil
		}
		began := time.Now()
		h.slept(look, nil, time.Hour)
		synctest.Wait()
		h.stop()
		if !undone || time.Since(began) != 0 {
			t.Errorf("undone %v, after %v", undone, time.Since(began))
		}
		h.slept(look, nil, time.Hour)
		(*healer)(nil).slept(look, nil, time.Hour)
		(*healer)(nil).stop()
	})
}

func TestDeadConnectionIsFoundOnce(t *testing.T) {
	t.Parallel()
	var found []string
	c := connections{found: func(name string, _ time.Duration) { found = append(found, name) }}
	now := clock.Reading{Awake: time.Hour}
	dead := connection.Judged{Socket: socketTo(1, "192.0.2.1:443"), Standing: connection.Dead, For: 12 * time.Second}
	quiet := connection.Judged{Socket: socketTo(2, "192.0.2.2:443"), Standing: connection.Quiet}
	for range 3 {
		c.judge([]connection.Judged{quiet, dead}, now)
	}
	if c.dead != "192.0.2.1:443" || len(found) != 1 {
		t.Errorf("dead %q, told %v", c.dead, found)
	}
	later := clock.Reading{Awake: 2 * time.Hour}
	c.judge([]connection.Judged{quiet}, later)
	if c.dead != "" || c.died.at.Awake != time.Hour {
		t.Errorf("dead %q, died %v", c.dead, c.died.at.Awake)
	}
	if got := received(connection.Look{Sockets: []connection.Socket{{Cookie: 1, Received: 10}}}, connection.Look{
		Sockets: []connection.Socket{{Cookie: 1, Received: 110}, {Cookie: 2, Received: 1000}},
	}); got != 100 {
		t.Errorf("received %d bytes, want 100", got)
	}
}
