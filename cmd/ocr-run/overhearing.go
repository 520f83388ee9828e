package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

const (
	// outputMost bounds what is read of output that went to a file, in bytes.
	outputMost = 64 << 20
	// errorsMost bounds what is read of the end of errors that did.
	errorsMost = 64 << 10
)

// passing says which descriptors the run's output must pass through us on: all for
// a log; for a witness those that are pipes, standard output if it carries JSON and
// standard error of an agent that shows no screen. What goes to a file can be read
// afterwards.
func (w *wrapping) passing() (through [3]bool) {
	if w.tee != nil {
		return [3]bool{1: true, 2: true}
	}
	s := w.witness
	if s == nil {
		return through
	}
	if s.in.Output != agent.OutputText {
		through[1], s.output = overheard(w.env.stdout)
	}
	// What stays behind writes its errors on when we are gone.
	if s.headless() && w.opts.leftovers == supervisor.LeftoversStop && (s.output == nil || !supervisor.SameFile(w.env.stdout, w.env.stderr)) {
		through[2], s.errors = overheard(w.env.stderr)
		// Two that are one pipe pass together, and so in order.
		through[1] = through[1] || through[2] && supervisor.SameFile(w.env.stdout, w.env.stderr)
	}
	return through
}

// overheard says how what is written to a descriptor can be read: as it passes, or in
// the file that it goes to. A terminal's is seen anyway.
func overheard(to *os.File) (passing bool, file *outlet) {
	var st unix.Stat_t
	if unix.Fstat(int(to.Fd()), &st) != nil {
		return false, nil
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO, unix.S_IFSOCK:
		return true, nil
	case unix.S_IFREG:
		return false, openOutlet(to, st.Size)
	default:
		return false, nil
	}
}

// outlet is a file that the run writes to, from a position on. A nil one has nothing.
type outlet struct {
	file *os.File
	from int64
}

// openOutlet opens the file of the given size that a descriptor leads to for reading:
// the descriptor itself may only be there to be written to, and is let go of while
// the run lasts. It is nil when that cannot be done.
func openOutlet(to *os.File, size int64) *outlet {
	f, err := os.Open("/dev/fd/" + strconv.Itoa(int(to.Fd())))
	if err != nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil
	}
	o := &outlet{file: f}
	// Where it is appended to, the position is only right after a write.
	if o.from, _ = to.Seek(0, io.SeekCurrent); appends(to) {
		o.from = size
	}
	return o
}

// appends says whether writes to f go to its end.
func appends(f *os.File) bool {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_APPEND != 0
}

// next reads on, as far as most bytes, and hands every piece to take.
func (o *outlet) next(most int64, take func([]byte)) {
	if o == nil {
		return
	}
	buf := make([]byte, 64<<10)
	for r := io.NewSectionReader(o.file, o.from, most); ; {
		n, err := r.Read(buf)
		take(buf[:n])
		o.from += int64(n)
		if err != nil {
			return
		}
	}
}

// close lets go of the file.
func (o *outlet) close() {
	if o != nil {
		_ = o.file.Close()
	}
}

// readOutput reads on in what went to a file, as far as most bytes.
func (s *witness) readOutput(most int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.output.next(most, func(b []byte) {
		s.book.add(s.reader.Feed(b))
		s.passed += int64(len(b))
	})
}

// readErrors reads the end of the errors that went to a file.
func (s *witness) readErrors() {
	if s.errors == nil {
		return
	}
	if info, err := s.errors.file.Stat(); err == nil {
		s.errors.from = max(s.errors.from, info.Size()-errorsMost)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors.next(errorsMost, s.tail.Add)
}
