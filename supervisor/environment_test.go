package supervisor

import (
	"slices"
	"testing"
)

func TestAsksInside(t *testing.T) {
	t.Parallel()
	users := func(name string) bool { return name == "/dev/pts/1" }
	for _, c := range []struct {
		name      string
		env, want []string
	}{
		{"none", nil, nil},
		{"not told", []string{"TERM=x"}, []string{"TERM=x"}},
		{"the user's", []string{"A=1", "GPG_TTY=/dev/pts/1", "B=2"}, []string{"A=1", "GPG_TTY=/dev/pts/7", "B=2"}},
		{"another", []string{"GPG_TTY=/dev/pts/2"}, []string{"GPG_TTY=/dev/pts/2"}},
		{"nothing", []string{"GPG_TTY="}, []string{"GPG_TTY="}},
		{"another variable", []string{"MY_GPG_TTY=/dev/pts/1", "SSH_TTY=/dev/pts/1"}, []string{"MY_GPG_TTY=/dev/pts/1", "SSH_TTY=/dev/pts/1"}},
		{"twice", []string{"GPG_TTY=/dev/pts/2", "GPG_TTY=/dev/pts/1"}, []string{"GPG_TTY=/dev/pts/2", "GPG_TTY=/dev/pts/7"}},
	} {
		if got := asksInside(c.env, "/dev/pts/7", users); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
