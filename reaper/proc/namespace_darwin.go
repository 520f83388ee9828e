package proc

// Locate finds nobody: there is one pid namespace only.
func Locate(_ uint64, wanted ...Process) (here []int, certain bool) {
	return make([]int, len(wanted)), false
}
