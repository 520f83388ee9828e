package agent

import (
	"strconv"
	"strings"
	"time"
)

// LimitedUntil reads from an agent's message when a usage limit ends, as a
// moment after now. It is false when the message does not say. It understands a
// Unix time behind a bar, a date and time, a time of day with an optional zone in
// brackets, and a span ("in 3 hours 5 minutes", "after 2h3m").
func LimitedUntil(message string, now time.Time) (time.Time, bool) {
	for _, read := range []func(string, time.Time) (time.Time, bool){unixTime, dateTime, span, dayTime} {
		if t, ok := read(message, now); ok && t.After(now) {
			return t, true
		}
	}
	return time.Time{}, false
}

// unixTime reads "…limit reached|1767225600".
func unixTime(message string, _ time.Time) (time.Time, bool) {
	_, after, ok := strings.Cut(message, "|")
	end := 0
	for digit(after, end) {
		end++
	}
	n, err := strconv.ParseInt(after[:end], 10, 64)
	if !ok || err != nil || n < 1e9 || n > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

// dateTime reads the first RFC 3339 instant.
func dateTime(message string, _ time.Time) (time.Time, bool) {
	for f := range strings.FieldsSeq(message) {
		if t, err := time.Parse(time.RFC3339, strings.Trim(f, `.,;"'()`)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// span reads the length of time behind the first "in" or "after" that has one.
func span(message string, now time.Time) (time.Time, bool) {
	fields := strings.Fields(strings.ToLower(message))
	for i, f := range fields {
		if f != "in" && f != "after" {
			continue
		}
		if d := duration(fields[i+1:]); d > 0 {
			return now.Add(d), true
		}
	}
	return time.Time{}, false
}

// duration adds up "3 hours, 5 minutes" or "2h3m" at the start of fields.
func duration(fields []string) time.Duration {
	var sum time.Duration
	for i := 0; i < len(fields); i++ {
		f := strings.Trim(fields[i], ".,;()")
		if d, err := time.ParseDuration(f); err == nil {
			return max(sum, d)
		}
		n, err := strconv.ParseFloat(f, 64)
		if err != nil || i+1 == len(fields) {
			if f == "and" {
				continue
			}
			break
		}
		i++
		sum += time.Duration(n * float64(unit(fields[i])))
	}
	return sum
}

// unit is the length of time a word stands for, 0 for any other word.
func unit(word string) time.Duration {
	switch word = strings.Trim(word, ".,;()"); {
	case strings.HasPrefix(word, "sec"), word == "s":
		return time.Second
	case strings.HasPrefix(word, "min"), word == "m":
		return time.Minute
	case strings.HasPrefix(word, "h"):
		return time.Hour
	case strings.HasPrefix(word, "day"), word == "d":
		return 24 * time.Hour
	default:
		return 0
	}
}

// dayTime reads the time of day behind "at" or "resets", in the zone named in
// brackets behind it or else in that of now. One that is past is tomorrow's.
func dayTime(message string, now time.Time) (time.Time, bool) {
	fields := strings.Fields(message)
	for i, f := range fields {
		if f = strings.ToLower(f); f != "at" && f != "resets" && f != "reset" || i+1 == len(fields) {
			continue
		}
		if clock, ok := timeOfDay(fields[i+1:]); ok {
			return next(clock, now.In(zone(message, now.Location()))), true
		}
	}
	return time.Time{}, false
}

// timeOfDay reads "3pm", "3:15 pm" or "15:04" at the start of fields.
func timeOfDay(fields []string) (time.Time, bool) {
	word := strings.ToUpper(strings.Trim(fields[0], ".,;()"))
	if len(fields) > 1 {
		if half := strings.ToUpper(strings.Trim(fields[1], ".,;()")); half == "AM" || half == "PM" {
			word += half
		}
	}
	for _, layout := range []string{"3PM", "3:04PM", "15:04"} {
		if t, err := time.Parse(layout, word); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// zone is the one named in the last brackets of a message.
func zone(message string, otherwise *time.Location) *time.Location {
	open, end := strings.LastIndexByte(message, '('), strings.LastIndexByte(message, ')')
	if open < 0 || end < open {
		return otherwise
	}
	if loc, err := time.LoadLocation(message[open+1 : end]); err == nil {
		return loc
	}
	return otherwise
}

// next is the first moment after now at that time of day.
func next(clock, now time.Time) time.Time {
	t := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location())
	if !t.After(now) {
		t = t.AddDate(0, 0, 1)
	}
	return t
}
