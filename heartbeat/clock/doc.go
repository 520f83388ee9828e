// Package clock reads the three clocks a beat needs and tells of their jumps.
//
// # What it promises
//
// A [Reading] is taken as close to one instant as the kernel allows: its
// awake and suspended parts are never more than a fraction of a millisecond
// apart, however long the reader itself was held up. Awake time stands still
// while the machine sleeps, is counted from boot and is the same for every
// process of one boot: it can be written down by one and compared by another.
//
//	                 Linux                        macOS
//	Wall             CLOCK_REALTIME               CLOCK_REALTIME
//	Awake            CLOCK_MONOTONIC              CLOCK_UPTIME_RAW
//	Awake+Suspended  CLOCK_BOOTTIME               CLOCK_MONOTONIC_RAW
//
// Package time's own timers follow the awake clock on both systems, so a wait
// that was started before a sleep ends that much later by the wall.
//
// # Goroutines
//
// [WatchWakes] and [NewAlarm] start one goroutine each on Linux and none on macOS;
// [Wakes.Close] and [Alarm.Close] wait for it. A [Timer] that goes off
// has one for that moment. Nothing else here starts any.
//
// This is the only package that may read the current time.
package clock
