package runfile

import "testing"

// A lease that is free is told from one that was never there.
func TestProbe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	probe := func(what string, wantThere, wantHeld bool) {
		t.Helper()
		if there, held, err := Probe(Path(dir, "u")); there != wantThere || held != wantHeld || err != nil {
			t.Errorf("%s: there %v, held %v, %v", what, there, held, err)
		}
	}
	probe("before", false, false)
	f, err := Create(dir, "u")
	if err != nil {
		t.Fatal(err)
	}
	probe("held", true, true)
	if err := f.Release(false); err != nil {
		t.Fatal(err)
	}
	probe("let go", true, false)
}
