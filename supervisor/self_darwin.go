package supervisor

import "os"

// selfPath is this program.
func selfPath() (string, error) { return os.Executable() }
