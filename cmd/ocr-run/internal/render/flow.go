package render

// Flow is a managed parent of runs as the JSON contract shows it.
type Flow struct {
	SchemaVersion int     `json:"schema_version"`
	ID            string  `json:"id"`
	Goal          *string `json:"goal"`
	Owner         string  `json:"owner"`
	Workspace     *string `json:"workspace"`
	// Status is queued, running, waiting, blocked, succeeded, failed, cancelled or
	// lost.
	Status string `json:"status"`
	// Why is the reason of its last change, and Detail what was said with it.
	Why    *string `json:"why"`
	Detail *string `json:"detail"`
	// Outcome joins the status with what its runs amount to, Cause says why it is
	// what it is; null while it has not ended.
	Outcome           string     `json:"outcome"`
	Cause             *string    `json:"cause"`
	Revision          int64      `json:"revision"`
	MaxParallel       *int       `json:"max_parallel"`
	Runs              FlowCounts `json:"runs"`
	BegunByUID        *string    `json:"begun_by_uid"`
	ClosedByUID       *string    `json:"closed_by_uid"`
	CreatedAt         string     `json:"created_at"`
	ChangedAt         *string    `json:"changed_at"`
	CancelRequestedAt *string    `json:"cancel_requested_at"`
	EndedAt           *string    `json:"ended_at"`
}

// FlowCounts counts the runs of a flow. Each is counted once.
type FlowCounts struct {
	Queued     int `json:"queued"`
	Running    int `json:"running"`
	Success    int `json:"success"`
	Incomplete int `json:"incomplete"`
	Failed     int `json:"failed"`
	Cancelled  int `json:"cancelled"`
}

// total is all of them, over those that have ended.
func (c FlowCounts) total() int { return c.Queued + c.Running + c.over() }

// over is those that have ended.
func (c FlowCounts) over() int { return c.Success + c.Incomplete + c.Failed + c.Cancelled }

// FlowChanged is the answer to a change that was asked of a flow.
type FlowChanged struct {
	SchemaVersion int `json:"schema_version"`
	// Found: there is a workflow of that name. Applied: the change was made.
	Found   bool `json:"found"`
	Applied bool `json:"applied"`
	// Created: the flow was made by this.
	Created bool `json:"created"`
	// Reason is why it was not applied.
	Reason *string `json:"reason"`
	Flow   *Flow   `json:"flow"`
}

// FlowRun is the answer to a run that was asked for under a flow.
type FlowRun struct {
	SchemaVersion int `json:"schema_version"`
	// Found: there is a workflow of that name. Created: the run stands.
	Found   bool `json:"found"`
	Created bool `json:"created"`
	// Reason is why it does not.
	Reason    *string    `json:"reason"`
	Flow      *Flow      `json:"flow"`
	Execution *Execution `json:"execution"`
	// Log is where the output of one goes that was left to the background.
	Log *string `json:"log"`
}

// FlowCancelled is the answer to a request to cancel a flow.
type FlowCancelled struct {
	SchemaVersion int `json:"schema_version"`
	// Result is settled, accepted, already_terminal, not_found or refused.
	Result string `json:"result"`
	// Reason is why it was refused.
	Reason *string `json:"reason"`
	// Asked: it had been asked to end before.
	Asked     bool           `json:"asked_before"`
	Flow      *Flow          `json:"flow"`
	Runs      []FlowStopping `json:"runs"`
	Processes []OwnedProcess `json:"processes"`
}

// FlowStopping is a run that had not ended when its flow was cancelled.
type FlowStopping struct {
	UID string `json:"uid"`
	// State is woken, asked, ended, settled or unreachable.
	State string `json:"state"`
}

// FlowShown is a flow with the tree of its runs.
type FlowShown struct {
	SchemaVersion int    `json:"schema_version"`
	Flow          Flow   `json:"flow"`
	Tree          []Node `json:"tree"`
}

// flowList is the object that lists flows.
type flowList struct {
	SchemaVersion int    `json:"schema_version"`
	Flows         []Flow `json:"flows"`
}

// FlowsJSON is a list of flows.
func FlowsJSON(all []Flow) ([]byte, error) {
	return indented(flowList{SchemaVersion, orEmpty(all)})
}

// FlowCancelledJSON is the object with no list left null.
func FlowCancelledJSON(c FlowCancelled) ([]byte, error) {
	c.SchemaVersion, c.Runs, c.Processes = SchemaVersion, orEmpty(c.Runs), FilledProcesses(c.Processes)
	return indented(c)
}
