package supervisor

// memoryKills is not known: the system keeps no such count.
func memoryKills() int64 { return -1 }
