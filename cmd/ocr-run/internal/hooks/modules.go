package hooks

import (
	"encoding/json"
	"strings"
)

// moduleMark begins the modules we write, so that no other is taken for ours.
const moduleMark = "// Written by ocr-run: "

// ourModule says whether a module is one of ours.
func ourModule(text string) bool { return strings.HasPrefix(text, moduleMark) }

// moduleProgram is what a module of ours calls; empty of any other.
func moduleProgram(text string) string {
	_, after, found := strings.Cut(text, "spawnSync(")
	var program string
	if !found || !ourModule(text) || json.NewDecoder(strings.NewReader(after)).Decode(&program) != nil {
		return ""
	}
	return program
}

// module is the source of the module an agent loads instead of settings; empty for
// an agent with settings. It calls ocr-run one event after another, so that they
// come in the order they happened, and only within a run.
func module(agent, program string) string {
	name, err := json.Marshal(program)
	if err != nil {
		return ""
	}
	var body string
	switch agent {
	case "opencode":
		body = opencodeModule
	case "pi":
		body = piModule
	default:
		return ""
	}
	return moduleMark + `ocr-run hook uninstall ` + agent + ` removes it.
import { spawnSync } from "node:child_process"

const tell = (event) => {
  if (!process.env.OCR_RUN_UID) return
  try {
    spawnSync(` + string(name) + `, ["hook", "` + agent + `"], { input: JSON.stringify(event), timeout: 2000, stdio: ["pipe", "ignore", "ignore"] })
  } catch {}
}
` + body
}

// opencodeModule is a plugin of OpenCode. A session says again and again within a
// turn that it is busy, which is told once.
const opencodeModule = `
export const OcrRun = async () => {
  const state = new Map()
  return {
    event: async ({ event }) => {
      const { type, properties } = event
      const session = properties?.sessionID
      if (type === "session.status") {
        const now = properties.status?.type
        if ((now !== "busy" && now !== "idle") || now === state.get(session)) return
        state.set(session, now)
      } else if (type === "message.updated") {
        if (properties.info?.finish !== "length") return
      } else if (type === "session.error") {
        state.delete(session)
      } else if (type !== "session.created" && type !== "session.idle") {
        return
      }
      tell(event)
    },
  }
}
`

// piModule is an extension of pi.
const piModule = `
export default function (pi) {
  const session = (ctx) => ctx?.sessionManager?.getSessionId?.()
  pi.on("session_start", async (_, ctx) => tell({ type: "session_start", session: session(ctx) }))
  pi.on("agent_start", async (_, ctx) => tell({ type: "agent_start", session: session(ctx) }))
  pi.on("agent_end", async (event, ctx) => {
    const last = (event.messages ?? []).filter((m) => m.role === "assistant").slice(-1)
    const messages = last.map(({ role, stopReason, errorMessage }) => ({ role, stopReason, errorMessage }))
    tell({ type: "agent_end", session: session(ctx), messages })
  })
  pi.on("session_shutdown", async (_, ctx) => tell({ type: "session_shutdown", session: session(ctx) }))
}
`
