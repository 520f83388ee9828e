#!/bin/sh
# The project speaks of itself alone. This fails when a committed file names a
# path of somebody's machine, a package mirror, or a ticket by its number.
set -eu
cd "$(dirname "$0")/.."

words='(^|[^[:alnum:]_.*$})-])/(work|root)/|\.\./shared|(^|[^[:alnum:]])registry'
words="$words"'|(^|[^[:alnum:]])(issues?|tickets?|PR|pull request) #?[0-9]'

files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -type f -not -path './bin/*' -not -path './.git/*' | sed 's|^\./||'
	fi
}

found=$(files | grep -Ev '(^|/)(go|tools)\.(mod|sum)$|^scripts/check-words\.sh$' |
	tr '\n' '\0' | xargs -0 grep -EInH "$words" 2>/dev/null || true)
if [ -n "$found" ]; then
	echo 'words that do not belong in this project:' >&2
	echo "$found" >&2
	exit 1
fi
echo 'no foreign words'
