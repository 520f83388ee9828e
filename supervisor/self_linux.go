package supervisor

// SelfPath is this program, even if its file was replaced or removed meanwhile.
func SelfPath() (string, error) { return "/proc/self/exe", nil }
