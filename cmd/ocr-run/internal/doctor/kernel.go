package doctor

// judgeSubreaper: without it what leaves the session of a run is not ours to find.
func judgeSubreaper(f Facts) []Finding {
	k := f.Kernel
	switch {
	case k.System == "":
		return nil
	case k.System != "linux":
		return []Finding{one(CheckSubreaper, Note, "subreaper", "",
			"this system has none: processes that leave a run's session before its end may be missed")}
	case k.Subreaper != "":
		return []Finding{one(CheckSubreaper, Warn, "subreaper", "", "the kernel or a sandbox refuses it, so that orphans of a run may be missed: %s", k.Subreaper)}
	default:
		return []Finding{ok(CheckSubreaper, "subreaper", "the monitor of a run can adopt its orphans")}
	}
}

// judgePidfd: with it a signal never reaches a process that took over a pid.
func judgePidfd(f Facts) []Finding {
	k := f.Kernel
	switch {
	case k.System != "linux":
		return nil
	case k.Pidfd != "":
		return []Finding{one(CheckPidfd, Note, "pidfd", "", "the kernel or a sandbox refuses it; pids are compared right before a signal instead: %s", k.Pidfd)}
	default:
		return []Finding{ok(CheckPidfd, "pidfd", "signals reach the process that was meant, and no other")}
	}
}

// judgeCgroup: a control group of its own holds all that a run starts.
func judgeCgroup(f Facts) []Finding {
	k := f.Kernel
	const looked = "cgroup"
	const without = "; runs are kept together by other means"
	switch {
	case k.System != "linux":
		return nil
	case !k.Cgroup.Unified:
		return []Finding{one(CheckCgroup, Note, looked, "", "there is no unified hierarchy (cgroup v2)%s", without)}
	case !k.Cgroup.Ours && f.Service.Manager == "systemd":
		return []Finding{one(CheckCgroup, Note, looked, "systemd-run --user --scope -p Delegate=yes ocr-run CMD", "%s is not delegated to you%s", k.Cgroup.Path, without)}
	case !k.Cgroup.Ours:
		return []Finding{one(CheckCgroup, Note, looked, "", "%s is not delegated to you%s", k.Cgroup.Path, without)}
	default:
		return []Finding{ok(CheckCgroup, looked, "%s is yours to make groups in", k.Cgroup.Path)}
	}
}

// scopeAdmin is the ptrace_scope from which on only root may look into the
// descriptors of its descendants.
const scopeAdmin = 2

// judgeProcesses: the marker in an environment is a proof of whose a process is.
func judgeProcesses(f Facts) []Finding {
	k := f.Kernel
	var found []Finding
	if k.Hidden != "" {
		found = append(found, one(CheckProcesses, Note, "/proc", "", "mounted with hidepid=%s: processes of other users, also those a run starts with sudo, cannot be seen", k.Hidden))
	}
	if k.Scope >= scopeAdmin {
		found = append(found, one(CheckProcesses, Note, "ptrace_scope", "sudo sysctl kernel.yama.ptrace_scope=1",
			"it is %d: connections of a command can be seen and not be taken hold of", k.Scope))
	}
	if k.Sockets != "" {
		found = append(found, one(CheckProcesses, Note, "connections", "", "they cannot be seen: %s", k.Sockets))
	}
	switch {
	case k.System == "darwin":
		found = append(found, one(CheckProcesses, Note, "environments", "", "this system hides those of programs it protects, such as its own shells"))
	case k.OtherTrouble != "":
		found = append(found, one(CheckProcesses, Warn, "environments", "",
			"that of your process %d cannot be read, so that a run's processes may be found unproved: %s", k.OtherPID, k.OtherTrouble))
	case k.OtherPID != 0:
		found = append(found, ok(CheckProcesses, "environments", "those of your processes can be read"))
	}
	return found
}

// Limits below which runs get into trouble.
const (
	fewFiles     = 64
	fewProcesses = 64
	smallFiles   = 64 << 20
)

// judgeLimits: what the shell allows.
func judgeLimits(f Facts) []Finding {
	l := f.Limits
	var found []Finding
	if !l.Asked {
		return nil
	}
	if l.Files >= 0 && l.Files < fewFiles {
		found = append(found, one(CheckLimits, Warn, "ulimit -n", "ulimit -n 1024   # refused: raise nofile in /etc/security/limits.conf, and log in anew",
			"%d open files are few", l.Files))
	}
	if left := l.Processes - l.Running; l.Processes >= 0 && left < fewProcesses {
		found = append(found, one(CheckLimits, Warn, "ulimit -u", "ulimit -u 4096", "%d processes are allowed, and you have %d", l.Processes, l.Running))
	}
	if l.FileSize >= 0 && l.FileSize < smallFiles {
		found = append(found, one(CheckLimits, Warn, "ulimit -f", "ulimit -f unlimited", "files may not grow beyond %s, the ledger neither", size(l.FileSize)))
	}
	if len(found) == 0 {
		found = append(found, ok(CheckLimits, "ulimit", "%s open files, %s processes", limit(l.Files), limit(l.Processes)))
	}
	return found
}

// limit is a limit in words.
func limit(n int64) string {
	if n < 0 {
		return "any number of"
	}
	return number(n)
}
