# Runs a script beside a systemd for users, in namespaces of its own: with mounts and
# processes that nobody else sees, and which all end with it. $1 is a directory, $2
# systemd, $3 the script.
set -u
mount -t tmpfs tmpfs /run || exit 77
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 77
group=/sys/fs/cgroup/ocr-run-test-$$-$(date +%N)
mkdir "$group" && echo $$ >"$group/cgroup.procs" || exit 77
mkdir -p /run/user/0 /run/systemd/system && chmod 700 /run/user/0
HOME=$1/home XDG_RUNTIME_DIR=/run/user/0
export HOME XDG_RUNTIME_DIR
unset XDG_STATE_HOME XDG_CONFIG_HOME XDG_DATA_HOME DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET
mkdir "$HOME"
"$2" --user >"$1/manager.log" 2>&1 &
manager=$!
n=0
until systemctl --user is-system-running >/dev/null 2>&1; do
	n=$((n + 1))
	if [ $n -gt 100 ]; then
		cat "$1/manager.log"
		exit 77
	fi
	sleep 0.05
done
sh "$3"
code=$?
kill $manager
wait $manager
# Out of the group, it can go.
echo $$ >/sys/fs/cgroup/cgroup.procs
find "$group" -depth -type d -exec rmdir {} \;
exit $code
