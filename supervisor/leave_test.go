package supervisor

import "testing"

// Keys that a program may be left with are known in every form that terminals send,
// whatever lock is on; what terminals say by themselves is no key.
func TestLeaves(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]bool{
		"\r": true, "/quit": false, "\x03": true, "x\x04": true, "\x1b": true, "": false,
		"\x1b[13u": true, "\x1b[27u": true, "\x1b[99;5u": true, "\x1b[100;5u": true, "\x1b[13;1u": true,
		"\x1b[99;133u": true, "\x1b[99;69u": true, "\x1b[99;197u": true, "\x1b[13;129u": true,
		"\x1b[99;5:1u": true, "\x1b[99;5:2u": true, "\x1b[99;5:3u": false, "\x1b[1089::99;5u": true, "\x1b[99:67;5u": true,
		"\x1b[27;5;99~": true, "\x1b[27;5;100~": true, "\x1b[27;69;67~": true, "\x1b[27;5;97~": false,
		"\x1b[A\x1b[99;133u": true, "\x1b[99u": false, "\x1b[99;2u": false, "\x1b[99;6u": false, "\x1b[13;2u": false, "\x1b[97;5u": false,
		"\x1b[?27u": false, "\x1b[?13u": false, "\x1b[200~x": false, "\x1b[15;5~": false, "\x1b[99;5": false, "\x1b[99;u": false,
		"\x1b[I": false, "\x1b[5;99R": false, "\x1b[<0;99;5M": false, "\x1b[u": false, "\x1b[;5u": false,
	} {
		if got := leaves([]byte(keys)); got != want {
			t.Errorf("%q: %v", keys, got)
		}
	}
}
