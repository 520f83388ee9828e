package supervisor

// selfPath is this program, even if its file was replaced or removed meanwhile.
func selfPath() (string, error) { return "/proc/self/exe", nil }
