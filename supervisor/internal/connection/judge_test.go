package connection

import (
	"testing"
	"time"
)

const sec = time.Second

// waiting is a connection that was sent to in vain that often, that long after the
// peer's last sign of life.
func waiting(tries int, lastAck time.Duration) Socket {
	return Socket{Cookie: 7, State: Established, Unacked: 100, Acked: 500, Retransmits: tries, LastAck: lastAck}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	change := func(s Socket, f func(*Socket)) Socket { f(&s); return s }
	quiet := func(s *Socket) { s.Unacked = 0 }
	cases := []struct {
		name          string
		before, after Socket
		want          Standing
	}{
		{"silence, again and again", waiting(1, 2*sec), waiting(6, 20*sec), Dead},
		{"silence since before the first look", waiting(0, 100*sec), waiting(6, 200*sec), Dead},
		{
			"both ways silent, ours half closed", change(waiting(1, 2*sec), func(s *Socket) { s.State = CloseWait }),
			change(waiting(6, 20*sec), func(s *Socket) { s.State = CloseWait }), Dead,
		},
		{"too few tries", waiting(1, 2*sec), waiting(2, 20*sec), Retrying},
		{"too short", waiting(1, 2*sec), waiting(6, 9*sec), Retrying},
		{"an old answer acknowledged again", waiting(1, 2*sec), waiting(6, 1*sec), Retrying},
		{"progress between", waiting(1, 2*sec), change(waiting(6, 20*sec), func(s *Socket) { s.Acked++ }), Retrying},
		{"nothing was owed before", change(waiting(0, 60*sec), quiet), waiting(6, 120*sec), Retrying},
		{"another connection", change(waiting(1, 2*sec), func(s *Socket) { s.Cookie++ }), waiting(6, 20*sec), Retrying},
		{"in time", waiting(0, 2*sec), waiting(0, 20*sec), Sending},
		{"an empty queue proves nothing", change(waiting(0, 2*sec), quiet), change(waiting(0, 900*sec), quiet), Quiet},
		{"nothing owed, old tries", waiting(6, 2*sec), change(waiting(6, 900*sec), quiet), Quiet},
		{
			"window closed, peer answers", change(waiting(0, 30*sec), func(s *Socket) { s.WindowClosed = true }),
			change(waiting(0, 50*sec), func(s *Socket) { s.WindowClosed = true }), Blocked,
		},
		{
			"window closed, peer silent", change(waiting(0, 30*sec), func(s *Socket) { s.WindowClosed = true }),
			change(waiting(0, 50*sec), func(s *Socket) { s.WindowClosed, s.Probes = true, 4 }), Dead,
		},
		{
			"idle, asked by the kernel, silent", change(waiting(0, 30*sec), func(s *Socket) { s.Unacked, s.Probes = 0, 1 }),
			change(waiting(0, 50*sec), func(s *Socket) { s.Unacked, s.Probes = 0, 5 }), Dead,
		},
		{
			"nobody there", change(waiting(1, 0), func(s *Socket) { s.State = Connecting }),
			change(waiting(4, 0), func(s *Socket) { s.State = Connecting }), Unreachable,
		},
		{
			"connecting", change(waiting(0, 0), func(s *Socket) { s.State = Connecting }),
			change(waiting(1, 0), func(s *Socket) { s.State = Connecting }), Retrying,
		},
		{"connected between", change(waiting(4, 0), func(s *Socket) { s.State = Connecting }), waiting(6, 20*sec), Retrying},
		{"being closed", waiting(1, 2*sec), change(waiting(6, 20*sec), func(s *Socket) { s.State = Other }), Quiet},
	}
	for _, c := range cases {
		earlier := Look{At: 100 * sec, Sockets: []Socket{{Cookie: 1}, c.before}}
		later := Look{At: 118 * sec, Sockets: []Socket{c.after}}
		if got := Judge(earlier, later, 10*sec); len(got) != 1 || got[0].Standing != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

// Without two looks, the right way round and far enough apart, nothing is dead.
func TestJudgeNeedsTwoLooks(t *testing.T) {
	t.Parallel()
	late := Look{At: 118 * sec, Sockets: []Socket{waiting(9, 900*sec)}}
	for _, early := range []Look{{}, {At: 118 * sec, Sockets: late.Sockets}, {At: 200 * sec, Sockets: late.Sockets}, {At: 109 * sec, Sockets: late.Sockets}} {
		if got := Judge(early, late, 10*sec); got[0].Standing != Retrying {
			t.Errorf("since %v: %+v", early.At, got)
		}
	}
	if got := Judge(late, Look{At: 500 * sec}, 10*sec); len(got) != 0 {
		t.Errorf("a connection that is gone is judged: %+v", got)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	if _, found := Worst(nil); found {
		t.Error("none has a worst")
	}
	all := []Judged{{Standing: Quiet}, {Standing: Dead, For: sec}, {Standing: Dead, For: 3 * sec}, {Standing: Retrying, For: 9 * sec}}
	if got, found := Worst(all); !found || got.Standing != Dead || got.For != 3*sec {
		t.Errorf("Worst() = %+v", got)
	}
}

func TestEveryWordIsThere(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for s := Quiet; s <= Dead; s++ {
		seen[s.String()] = true
	}
	for a := Nothing; a <= Destroyed; a++ {
		seen[a.String()] = true
	}
	if len(seen) != int(Dead)+int(Destroyed)+2 || seen[""] {
		t.Errorf("words: %v", seen)
	}
}
