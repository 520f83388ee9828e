package entry

// Ignored is empty: nobody knows.
func Ignored() uint64 { return 0 }

// Found is 0: there is nothing to restore.
func Found() int { return 0 }

// Inherit does nothing.
func Inherit(int) {}

// Given is fd.
func Given(fd uintptr) uintptr { return fd }

// AsFound runs start.
func AsFound(_ bool, start func() error) error { return start() }
