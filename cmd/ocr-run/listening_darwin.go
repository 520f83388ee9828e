package main

import "os"

// punch would take away the first n bytes of a file; here that is not done for lengths
// that are no multiple of a block.
func punch(*os.File, int64) bool { return false }
