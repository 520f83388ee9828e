package doctor

import "testing"

func TestHidden(t *testing.T) {
	t.Parallel()
	for mounts, want := range map[string]string{
		"21 1 0:20 / /sys rw - sysfs sysfs rw\n22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw,hidepid=invisible\n": "invisible",
		"22 1 0:21 / /proc rw - proc proc rw,hidepid=2":                                                                 "2",
		"22 1 0:21 / /proc rw - proc proc rw":                                                                           "",
		"22 1 0:21 / /proc rw - proc proc rw,hidepid=off":                                                               "",
		"22 1 0:21 / /elsewhere/proc rw - proc proc rw,hidepid=2":                                                       "",
		"": "",
	} {
		if got := hidden(mounts); got != want {
			t.Errorf("%q: %q, want %q", mounts, got, want)
		}
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	for inode, want := range map[uint64]bool{0: false, firstNamespace: false, 4026532000: true} {
		if own, _ := FindNamespace(inode); own != want {
			t.Errorf("%d: %v", inode, own)
		}
	}
}
