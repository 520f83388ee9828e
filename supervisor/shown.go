package supervisor

import (
	"strings"

	"github.com/ocr-run/ocr-run/supervisor/internal/screen"
)

// Tail keeps the last bytes a run wrote. Its zero value is ready.
type Tail = screen.Tail

// ShownText is what a person saw of a tail in the end: lines without escapes, or
// what a full-screen program had drawn, on a terminal of that size. Without a
// terminal both are 0.
func ShownText(t *Tail, columns, rows int) string {
	b := t.Bytes()
	if len(b) == 0 {
		return ""
	}
	return strings.Join(screen.Text(b, columns, rows).All(), "\n")
}
