package connection

import "time"

// ProofAfter is how long nothing may come back before that is proof. A roaming
// laptop finds its network again in less; agents take minutes to notice.
const ProofAfter = 10 * time.Second

// proofTries is how often in a row the peer must have been spoken to in vain. One
// lost packet is common, and two in a crowded café.
const proofTries = 3

// Standing is what two looks say about a connection. The order is from good to bad.
type Standing uint8

const (
	// Quiet means that nothing of ours waits. It proves neither life nor death.
	Quiet Standing = iota
	// Sending means that something waits for its acknowledgement, in time.
	Sending
	// Blocked means that the peer's program does not read, but its system answers.
	Blocked
	// Retrying means that something had to be sent again, and too little time has passed to tell.
	Retrying
	// Unreachable means that nobody answers the request for a connection.
	Unreachable
	// Dead means that it was sent again and again, and nothing came back.
	Dead
)

// String is the word for people.
func (s Standing) String() string {
	return [...]string{"quiet", "sending", "blocked", "retrying", "unreachable", "dead"}[s]
}

// Judged is a connection and what is to be thought of it.
type Judged struct {
	Socket
	// Standing is the verdict.
	Standing Standing
	// For is how long, in awake time and at least, the peer has owed an answer; 0 when
	// it owes none or that began after the earlier look.
	For time.Duration
}

// Judge compares two looks. A connection is Dead or Unreachable only when an answer
// was due at the earlier look already, and has not come for at least after since;
// looks that lie closer together prove nothing. The zero Look may stand for a look
// that was never taken.
func Judge(earlier, later Look, after time.Duration) []Judged {
	all := make([]Judged, 0, len(later.Sockets))
	for _, s := range later.Sockets {
		j := Judged{Socket: s}
		if before, ok := earlier.find(s.Cookie); ok {
			j.For = owedFor(before, s, later.At-earlier.At)
		}
		j.Standing = standing(s, j.For, after)
		all = append(all, j)
	}
	return all
}

// Worst picks the connection that is worst off, and the one for longest among
// equals; false when there is none.
func Worst(all []Judged) (worst Judged, found bool) {
	for _, j := range all {
		if !found || j.Standing > worst.Standing || j.Standing == worst.Standing && j.For > worst.For {
			worst, found = j, true
		}
	}
	return worst, found
}

// owes says whether the peer has something to answer.
func (s Socket) owes() bool { return s.Unacked > 0 || s.Probes > 0 }

// owedFor is how long a peer that owed an answer at an earlier look has certainly
// kept silent since.
func owedFor(before, s Socket, between time.Duration) time.Duration {
	switch {
	case between <= 0, !before.owes(), !s.owes(), before.State != s.State, before.Acked != s.Acked:
		return 0
	case s.State == Connecting:
		return between
	default:
		// An acknowledgement of nothing new still is a sign of life.
		return min(between, s.LastAck)
	}
}

// standing judges one connection that has been owed an answer for that long.
func standing(s Socket, owed, after time.Duration) Standing {
	proven := owed >= after && s.unanswered() >= proofTries
	switch {
	case s.State == Other, !s.owes():
		return Quiet
	case s.State == Connecting && proven:
		return Unreachable
	case proven:
		return Dead
	case s.Retransmits > 0 || s.Probes > 1:
		return Retrying
	case s.WindowClosed:
		return Blocked
	default:
		return Sending
	}
}
