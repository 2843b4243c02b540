#!/bin/sh
# Runs the official OpenAI SDKs against the built-in agent:  testdata/compat/run.sh PATH/TO/docbatch
# Needs node, npm and the npm registry; the Python part runs where python3 can make a virtual environment.
# Everything that is installed goes into a temporary folder. Exit codes: 0 all checks passed, 1 some failed, 2 it could not be set up.
set -u

bin=${1:?usage: run.sh PATH/TO/docbatch}
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$(dirname "$bin")" && pwd)/$(basename "$bin")
tmp=$(mktemp -d) || exit 2
pids=

finish() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# serve NAME ARG... starts an agent in the background and leaves its base URL, the first line that it prints, in $url.
serve() {
	name=$1
	shift
	"$bin" demo-agent --listen 127.0.0.1:0 "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
	pids="$pids $!"
	tries=0
	until [ -s "$tmp/$name.out" ] && url=$(head -n 1 "$tmp/$name.out") && [ -n "$url" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ] || ! kill -0 "$!" 2>/dev/null; then
			echo "compat: $bin demo-agent $* did not start:" >&2
			cat "$tmp/$name.err" >&2
			exit 2
		fi
		sleep 0.1
	done
}

# twice COMMAND... runs it again if it fails: registries have bad moments.
twice() {
	"$@" >"$tmp/install.log" 2>&1 || "$@" >"$tmp/install.log" 2>&1
}

command -v npm >/dev/null && command -v node >/dev/null || { echo "compat: node and npm are needed" >&2; exit 2; }
echo '{"private":true,"type":"module"}' >"$tmp/package.json"
if ! twice npm install --prefix "$tmp" --no-audit --no-fund --no-save --loglevel=error openai; then
	echo "compat: npm install openai did not work:" >&2
	cat "$tmp/install.log" >&2
	exit 2
fi

COMPAT_KEY=sk-compat
export COMPAT_KEY
serve open --agents invoice-reader,letter-reader --key-env COMPAT_KEY
COMPAT_URL=$url
serve limited --rpm 2
COMPAT_LIMITED_URL=$url
serve broken --fail 500=1
COMPAT_BROKEN_URL=$url
export COMPAT_URL COMPAT_LIMITED_URL COMPAT_BROKEN_URL

status=0
cp "$here/compat.mjs" "$tmp/" && node "$tmp/compat.mjs" || status=1

if ! command -v python3 >/dev/null || ! python3 -m venv "$tmp/venv" >/dev/null 2>&1; then
	echo "python: skipped, there is no python3 that can make a virtual environment"
	exit "$status"
fi
if ! twice "$tmp/venv/bin/pip" install --quiet --disable-pip-version-check openai; then
	echo "python: skipped, pip install openai did not work"
	exit "$status"
fi
# The Node part has used up the requests of its limited agent.
serve limited-python --rpm 2
COMPAT_LIMITED_URL=$url
"$tmp/venv/bin/python" "$here/compat.py" || status=1
exit "$status"
