package ocrdb

import "testing"

func BenchmarkBeat(b *testing.B) {
	for _, era := range eras() {
		b.Run(era, func(b *testing.B) {
			h := hostWith(b, era)
			r := h.Row(run(1))
			if err := r.Announce(b.Context(), noon); err != nil {
				b.Fatal(err)
			}
			now := int64(noon)
			for b.Loop() {
				now += 60_000
				if _, err := r.Beat(b.Context(), now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
