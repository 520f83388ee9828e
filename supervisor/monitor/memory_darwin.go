package monitor

// UnloadProgram does nothing: the system does it by itself when memory is short.
func UnloadProgram() {}
