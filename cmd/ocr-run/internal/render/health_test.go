package render

import (
	"strings"
	"testing"
)

// ailing is a machine with one thing of every kind.
func ailing() Doctor {
	return Doctor{Errors: 1, Warnings: 1, Notes: 1, Checks: []DoctorCheck{
		{Check: "path", Severity: "ok", LookedAt: "PATH", Found: "/usr/local/bin/ocr-run is this program"},
		{Check: "cgroup", Severity: "note", LookedAt: "cgroup", Found: "/user.slice is not delegated to you"},
		{Check: "modes", Severity: "warn", LookedAt: "/s/ledger.db", Found: "others may use it: its mode is 0644", Mend: new("chmod 600 /s/ledger.db")},
		{Check: "home", Severity: "error", LookedAt: "HOME", Found: "it is not set\x1b[2J", Mend: new("export HOME=/home/u")},
	}}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	b, err := DoctorJSON(ailing())
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "doctor.json", string(b))
	checkGolden(t, "doctor.txt", DoctorText(Style{Columns: 20}, ailing()))
	checkGolden(t, "doctor_color.txt", DoctorText(Style{Color: true}, ailing()))
	if b, err := DoctorJSON(Doctor{}); err != nil || !strings.Contains(string(b), `"checks": []`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestSelftest(t *testing.T) {
	t.Parallel()
	drill := Selftest{Passed: 1, Failed: 1, Skipped: 1, Complete: true, DurationMS: 12_345, Steps: []SelftestStep{
		{Name: "exit codes", Verdict: "passed", Detail: "as they were", DurationMS: 120},
		{Name: "full disk", Verdict: "skipped", Detail: "mount is refused"},
		{Name: "pid used again", Verdict: "failed", Detail: "stopped\x1b[2J", DurationMS: 12_200},
	}}
	b, err := SelftestJSON(drill)
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "selftest.json", string(b))
	var text strings.Builder
	for _, s := range drill.Steps {
		text.WriteString(SelftestLine(Style{}, s))
		text.WriteString(SelftestLine(Style{Color: true}, s))
	}
	text.WriteString(SelftestSummary(drill))
	drill.Complete, drill.Kept = false, new("/tmp/x")
	checkGolden(t, "selftest.txt", text.String()+SelftestSummary(drill))
	if b, err := SelftestJSON(Selftest{}); err != nil || !strings.Contains(string(b), `"steps": []`) {
		t.Errorf("%s, %v", b, err)
	}
}
