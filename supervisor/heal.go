package supervisor

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/supervisor/internal/connection"
)

// healAfter is the shortest sleep that connections are looked after for: peers wait
// through shorter ones.
const healAfter = 30 * time.Second

// healLooks is how often, and healPause how far apart, connections are looked at after
// a sleep. The network itself may take its time to come back, and a connection over it
// then answers.
const (
	healLooks = 8
	healPause = 3 * time.Second
)

// healer ends connections that a sleep of the machine has killed, so that the agent
// notices at once and connects again. It works on a goroutine of its own, for a little
// while after a sleep.
type healer struct {
	log    func(error)
	healed func(peers []string)
	// take looks at the connections of processes; ask and shut are as in connection.
	take func(pids []int) (connection.Look, error)
	ask  func(connection.Socket) (undo func() error, err error)
	shut func(connection.Socket) (connection.Act, error)

	ctx    context.Context //nolint:containedctx // it is the life of the goroutine
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// newHealer prepares it. stop must follow.
func newHealer(c clock.Clock, log func(error), healed func(peers []string)) *healer {
	h := &healer{
		log: log, healed: healed, ask: connection.Ask, shut: connection.Shut,
		take: func(pids []int) (connection.Look, error) { return connection.Take(pids, c.Now().Awake) },
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// stop ends it.
func (h *healer) stop() {
	if h != nil {
		h.cancel()
		h.wg.Wait()
	}
}

// slept looks after the connections that were open at a look before a sleep.
func (h *healer) slept(before connection.Look, pids []int, slept time.Duration) {
	if h == nil || slept < healAfter || len(before.Sockets) == 0 || h.ctx.Err() != nil {
		return
	}
	h.wg.Go(func() {
		if peers := h.heal(before, pids); len(peers) > 0 {
			h.healed(peers)
		}
	})
}

// heal asks every connection that was there before whether its peer still is, and shuts
// down those whose peer does not answer.
func (h *healer) heal(before connection.Look, pids []int) (peers []string) {
	first, err := h.take(pids)
	if err != nil {
		h.log(err)
		return nil
	}
	asked := h.askAll(survivors(before, first))
	defer func() {
		for _, undo := range asked {
			_ = undo() // of a connection that is gone there is nothing to undo
		}
	}()
	looks := []connection.Look{first}
	for range healLooks {
		if len(asked) == 0 || clock.Wait(h.ctx, healPause) != nil {
			return peers
		}
		look, err := h.take(pids)
		if err != nil {
			h.log(err)
			return peers
		}
		for _, s := range silent(looks, look) {
			if _, ours := asked[s.Cookie]; !ours {
				continue
			}
			delete(asked, s.Cookie)
			if _, err := h.shut(s); err != nil {
				h.log(err)
				continue
			}
			peers = append(peers, s.Peer.String())
		}
		looks = append(looks, look)
	}
	return peers
}

// silent are the connections whose peer has been silent for long enough since any of
// the looks: an idle connection owes nothing until it was asked.
func silent(looks []connection.Look, now connection.Look) (dead []connection.Socket) {
	for _, earlier := range looks {
		for _, j := range connection.Judge(earlier, now, connection.ProofAfter) {
			if j.Standing == connection.Dead {
				dead = append(dead, j.Socket)
			}
		}
	}
	return dead
}

// askAll has the kernel ask the peers of idle connections.
func (h *healer) askAll(all []connection.Socket) map[uint64]func() error {
	asked := make(map[uint64]func() error, len(all))
	for _, s := range all {
		undo, err := h.ask(s)
		if err != nil {
			h.log(err)
			continue
		}
		asked[s.Cookie] = undo
	}
	return asked
}

// survivors are the connections that were established before and still are, those
// within this machine excepted: a sleep does them no harm.
func survivors(before, now connection.Look) (all []connection.Socket) {
	old := make(map[uint64]bool, len(before.Sockets))
	for _, s := range before.Sockets {
		old[s.Cookie] = s.State == connection.Established
	}
	for _, s := range now.Sockets {
		if old[s.Cookie] && s.State == connection.Established && !local(s.Peer) {
			all = append(all, s)
		}
	}
	return all
}

// local says whether a peer is on this machine.
func local(peer netip.AddrPort) bool { return peer.Addr().IsLoopback() }
