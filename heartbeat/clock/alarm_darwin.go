package clock

// Alarm goes off once for each time it is set, after some awake time. C delivers a value
// then and is never closed. Set has it go off after a duration, at once if that is not
// positive, and not when it was to before; one that goes off in that moment may be
// delivered all the same.
type Alarm = Timer

// NewAlarm makes an alarm that is not set. The caller must Close it. It never fails.
func NewAlarm() (*Alarm, error) { return NewTimer(), nil }
