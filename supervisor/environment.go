package supervisor

import "github.com/ocr-run/ocr-run/reaper/proc"

// EnvUID names the execution in the environment of everything it starts.
const EnvUID = proc.EnvUID

// EnvLineage is root/parent/self, the uids of the executions a process is part
// of, so that nested runs can be told apart.
const EnvLineage = proc.EnvLineage

// EnvHostUID is what Open Code Review reads to link a workflow to a row.
const EnvHostUID = "OCR_DASHBOARD_EXECUTION_UID"
