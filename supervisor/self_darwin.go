package supervisor

import "os"

// SelfPath is this program.
func SelfPath() (string, error) { return os.Executable() }
