# The service under a real manager, from the first look to the last.
set -eu
fail() {
	echo "FAIL: $*"
	exit 1
}
# Nothing runs here but what is started here.
running() { pgrep -f "^sleep $1\$" >/dev/null; }
until_so() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 600 ] || fail "never: $*"
		sleep 0.05
	done
}
live() { ocr-run ps --json | grep -q '"liveness": "live"'; }

ocr-run service status && fail 'it is there before it was installed'
ocr-run service install --yes
ocr-run service status
[ "$(systemctl --user is-enabled ocr-run-reap.timer)" = enabled ] || fail 'it is not enabled'
systemctl --user list-timers | grep -q ocr-run-reap.service || fail 'no timer'

# A run whose wrapper and monitor are killed, and one in a unit of its own, in which
# both the wrapper and what escaped from it live.
ocr-run --quiet --heartbeat 100ms sh -c 'echo $PPID >"$HOME/monitor"; setsid sleep 611 & wait' &
until_so live
until_so test -s "$HOME/monitor"
sleep 0.5
monitor=$(cat "$HOME/monitor")
wrapper=$(ps -o ppid= -p "$monitor")
kill -STOP $wrapper $monitor
kill -KILL $wrapper $monitor
systemd-run --quiet --user --unit=other "$(command -v ocr-run)" --quiet sh -c 'setsid sleep 622 & sleep 633'
until_so running 622
until_so running 633

systemctl --user start ocr-run-reap.service
running 611 && fail 'what a dead wrapper left is still there'
running 622 || fail 'what escaped in another unit is gone'
running 633 || fail 'the agent of another unit is gone'
[ "$(systemctl --user is-active other.service)" = active ] || fail 'the other unit has ended'
ocr-run service status
ocr-run history | grep -q orphaned || fail 'the row of the dead wrapper is open'

# A sweep that finds another one under way has not failed.
flock "$HOME/.local/state/ocr-run/reap.lock" systemctl --user start ocr-run-reap.service || fail 'another sweep made this one fail'
ocr-run service status --json | grep -q '"exit_code": 8' || fail 'it did not exit 8'
ocr-run service status

# What is stopped by hand is said, and mended.
systemctl --user stop ocr-run-reap.timer
ocr-run service status | grep 'not active' || fail 'nobody says that it is stopped'
ocr-run service install --yes
ocr-run service status

# The unfinished work of an agent in a unit as the example has it is tried again.
units=$HOME/.config/systemd/user
cat >"$HOME/claude" <<'EOF'
#!/bin/sh
echo >>"$HOME/tries"
[ "$(wc -l <"$HOME/tries")" -gt 2 ] || exec ocr-run state begin --session-id "s$$" --branch main --workflow-type review
trap 'exit 0' TERM
sleep 644 & wait
EOF
chmod +x "$HOME/claude"
PATH=$HOME:$PATH ocr-run service print --example agent | sed 's/^RestartSec=.*/RestartSec=100ms/' >"$units/agent.service"
systemctl --user daemon-reload
systemctl --user start agent.service
until_so running 644
[ "$(systemctl --user show --property=NRestarts agent.service)" = NRestarts=2 ] || fail "$(systemctl --user show --property=NRestarts agent.service)"
systemctl --user stop agent.service
[ "$(systemctl --user show --property=Result agent.service)" = Result=success ] || fail 'stopping it failed'
ocr-run history --outcome cancelled | grep -q claude || fail 'nobody knows that it was stopped'
ocr-run history --outcome incomplete --json | grep -c '"cause": "workflow-open"' | grep -qx 2 || fail 'the attempts are not there'

# Out again, without a trace.
rm "$units/agent.service"
ocr-run service uninstall --yes
find "$HOME/.config" "$HOME/.local/share" -type f -o -type l | grep . && fail 'something is left'
systemctl --user list-timers --all | grep ocr-run && fail 'the manager still knows it'
ocr-run service status && fail 'it is still there'
systemctl --user stop other.service
echo passed
