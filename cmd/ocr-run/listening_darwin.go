package main

import (
	"errors"
	"os"
)

// punch would take away the first n bytes of a file; here that is not done for lengths
// that are no multiple of a block.
func punch(*os.File, int64) bool { return false }

// memoryFile would make a file that lies in memory and that others can open by path.
func memoryFile(string) (*os.File, error) { return nil, errors.ErrUnsupported }
