package lifecycle

// EventType is one word of the history's closed vocabulary.
type EventType string

// Events of an execution.
const (
	EventAnnounced       EventType = "execution_announced"
	EventStarted         EventType = "execution_started"
	EventEnded           EventType = "execution_ended"
	EventNotStarted      EventType = "execution_not_started"
	EventLost            EventType = "execution_lost"
	EventLateTruth       EventType = "execution_late_truth"
	EventSuspended       EventType = "execution_suspended"
	EventContinued       EventType = "execution_continued"
	EventStopRequested   EventType = "stop_requested"
	EventSlept           EventType = "slept"
	EventLate            EventType = "late"
	EventDegraded        EventType = "degraded"
	EventLedgerReplaced  EventType = "ledger_replaced"
	EventFenced          EventType = "fenced"
	EventTerminalLost    EventType = "terminal_lost"
	EventMonitorLost     EventType = "monitor_lost"
	EventLeftoverStopped EventType = "leftover_stopped"
	EventLeftoverKept    EventType = "leftover_kept"
	EventLeftoverRemains EventType = "leftover_remains"
	EventTurnPending     EventType = "turn_pending"
	EventTurnStarted     EventType = "turn_started"
	EventTurnSettled     EventType = "turn_settled"
	EventSessionState    EventType = "session_state"

	EventIdle             EventType = "idle"
	EventStalled          EventType = "stalled"
	EventRunaway          EventType = "runaway"
	EventConnectionDead   EventType = "connection_dead"
	EventConnectionHealed EventType = "connection_healed"
)

// Events of a workflow. The words are those of Open Code Review 2.x, so that
// instructions and tools written for it find what they know.
const (
	EventSessionCreated         EventType = "session_created"
	EventSessionResumed         EventType = "session_resumed"
	EventRoundStarted           EventType = "round_started"
	EventPhaseTransition        EventType = "phase_transition"
	EventRoundCompleted         EventType = "round_completed"
	EventMapCompleted           EventType = "map_completed"
	EventSessionClosed          EventType = "session_closed"
	EventSessionAborted         EventType = "session_aborted"
	EventSessionAutoClosedStale EventType = "session_auto_closed_stale"
	EventSessionSynced          EventType = "session_synced"
	EventSessionLegacyImport    EventType = "session_legacy_import"
	EventWorkflowLinked         EventType = "workflow_linked"
	EventFlowState              EventType = "flow_state"
	EventFlowCancelRequested    EventType = "flow_cancel_requested"
)

// EventTypes lists the whole vocabulary.
func EventTypes() []EventType {
	return []EventType{
		EventAnnounced, EventStarted, EventEnded, EventNotStarted, EventLost, EventLateTruth,
		EventSuspended, EventContinued, EventStopRequested, EventSlept, EventLate, EventDegraded,
		EventLedgerReplaced, EventFenced, EventTerminalLost, EventMonitorLost,
		EventLeftoverStopped, EventLeftoverKept, EventLeftoverRemains,
		EventTurnPending, EventTurnStarted, EventTurnSettled, EventSessionState,
		EventIdle, EventStalled, EventRunaway, EventConnectionDead, EventConnectionHealed,
		EventSessionCreated, EventSessionResumed, EventRoundStarted, EventPhaseTransition,
		EventRoundCompleted, EventMapCompleted, EventSessionClosed, EventSessionAborted,
		EventSessionAutoClosedStale, EventSessionSynced, EventSessionLegacyImport,
		EventWorkflowLinked, EventFlowState, EventFlowCancelRequested,
	}
}

// CompletionEvent is the event that proves a round of the kind was finished.
// It is empty for a flow.
func CompletionEvent(k Kind) EventType {
	switch k {
	case KindReview:
		return EventRoundCompleted
	case KindMap:
		return EventMapCompleted
	case KindFlow:
		return ""
	}
	return ""
}

// CloseReasons lists the events that allow a workflow to be closed without its
// artifact. Any of them must be written before the status changes.
func CloseReasons() []EventType {
	return []EventType{
		EventSessionAborted, EventSessionAutoClosedStale, EventSessionSynced, EventSessionLegacyImport,
	}
}
