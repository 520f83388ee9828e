package proc

// MakeGroup is not possible here: there are no control groups.
func MakeGroup(string, bool) (Group, error) { return Group{}, ErrNoCgroup }

// GroupPath is nowhere here.
func GroupPath(string) string { return "" }

// GroupAt finds nothing here.
func GroupAt(string) (Group, bool) { return Group{}, false }

// Open is not possible here.
func (Group) Open() (int, error) { return -1, ErrNoCgroup }

// Members is always empty.
func (Group) Members() ([]int, error) { return nil, nil }

// Freeze is not possible here.
func (Group) Freeze(bool) error { return ErrNoCgroup }

// Kill is not possible here.
func (Group) Kill() error { return ErrNoCgroup }

// Release has nothing to do.
func (Group) Release() error { return nil }

// Remove has nothing to do.
func (Group) Remove() error { return nil }
