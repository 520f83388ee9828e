package doctor

import "strconv"

// number is n in digits.
func number(n int64) string { return strconv.FormatInt(n, 10) }

// judgeService: nothing is needed; with a service, orphans are stopped unasked.
func judgeService(f Facts) []Finding {
	s := f.Service
	var wrong []Finding
	for _, p := range s.Problems {
		wrong = append(wrong, one(CheckService, Warn, s.Place, command("ocr-run", "service", "status"), "%s", p))
	}
	switch {
	case wrong != nil:
		return wrong
	case len(s.Units) > 0:
		return []Finding{ok(CheckService, s.Units[0], "it is installed")}
	case s.Manager == "":
		return []Finding{ok(CheckService, "service", "no service manager; each run settles what others left open, and ocr-run reap stops what they left running")}
	default:
		return []Finding{one(CheckService, Note, s.Place, s.Install,
			"no %s unit; each run settles what others left open, and only ocr-run reap stops what they left running", s.Manager)}
	}
}

// judgeLinger: units of a user end with the last session unless they linger.
func judgeLinger(f Facts) []Finding {
	s := f.Service
	mend := command("loginctl", "enable-linger", s.User)
	switch {
	case !s.LingerKnown:
		return nil
	case s.Linger:
		return []Finding{ok(CheckLinger, s.User, "units go on when nobody is logged in")}
	case len(s.Units) > 0:
		return []Finding{one(CheckLinger, Warn, s.User, mend, "the service stops when you log out, and so do runs in a scope")}
	default:
		return []Finding{one(CheckLinger, Note, s.User, mend, "units end when you log out, and so do runs in a scope")}
	}
}

// judgeAgents: which are there, and whether they start at all.
func judgeAgents(f Facts) []Finding {
	var found []Finding
	var missing []string
	for _, a := range f.Agents {
		switch {
		case a.Path == "":
			missing = append(missing, a.Name)
		case a.Failure != "" && a.AtHome:
			// A launcher of a version manager has its settings there.
			found = append(found, one(CheckAgent, Note, a.Path, command(a.Name, "--version"), "%s does not tell its version in an empty home: %s", a.Name, a.Failure))
		case a.Failure != "":
			found = append(found, one(CheckAgent, Warn, a.Path, command(a.Name, "--version"), "%s does not tell its version: %s", a.Name, a.Failure))
		default:
			found = append(found, ok(CheckAgent, a.Path, "%s: %s", a.Name, a.Version))
		}
	}
	switch {
	case len(f.Agents) == 0:
	case len(found) == 0:
		found = append(found, one(CheckAgent, Note, "PATH", "", "no agent that is known here: %s", listed(missing)))
	case len(missing) > 0:
		found = append(found, ok(CheckAgent, "PATH", "not there: %s", listed(missing)))
	}
	return found
}

// judgeHooks: with hooks an agent's turns are known as they happen.
func judgeHooks(f Facts) []Finding {
	var found []Finding
	for _, a := range f.Agents {
		install := command("ocr-run", "hook", "install", a.Name)
		if a.Path == "" {
			continue
		}
		switch a.Hooks {
		case HooksInstalled:
			found = append(found, ok(CheckHooks, a.HookFile, "%s tells about its turns", a.Name))
		case HooksPartly:
			found = append(found, one(CheckHooks, Warn, a.HookFile, install, "some hooks for %s are missing or are those of another version", a.Name))
		case HooksDead:
			found = append(found, one(CheckHooks, Warn, a.HookFile, command("ocr-run", "hook", "uninstall", a.Name)+" && "+install,
				"the hooks of %s call %s, which is not there", a.Name, a.HookProgram))
		case HooksUnreadable:
			found = append(found, one(CheckHooks, Warn, a.HookFile, command("ls", "-l", a.HookFile), "the settings of %s cannot be read: %s", a.Name, a.HookTrouble))
		case HooksNone:
			found = append(found, one(CheckHooks, Note, a.HookFile, install, "%s has none; its turns are known from its output and its records", a.Name))
		}
	}
	return found
}
