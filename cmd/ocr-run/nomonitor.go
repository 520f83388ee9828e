package main

import (
	"os"

	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// withoutMonitor says whether the run is to go without a monitor: it was asked to, or
// there is no way to start this program once more, as without a /proc, and nothing
// was asked for that needs one.
func (w *wrapping) withoutMonitor() bool {
	o := w.opts
	if o.noMonitor || o.log != "" || o.pty == supervisor.PTYAlways {
		return o.noMonitor
	}
	self, err := monitor.SelfPath()
	if err == nil {
		_, err = os.Lstat(self)
	}
	if err != nil {
		w.log.Warn().Err(err).Msg("run without a monitor")
	}
	return err != nil
}
