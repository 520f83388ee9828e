package proc

// Locate finds nobody: there is one pid namespace only.
func Locate(uint64, int, uint64) (here int, certain bool) { return 0, false }
