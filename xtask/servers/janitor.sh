# Runs beside a stack, started by it as: sh -c SCRIPT janitor DIRECTORY MODE TENTHS
# Waits for the end of its standard input, which comes when the stack's process ends in any way, kill -9 included.
# Then gives the servers of DIRECTORY, and all that they started, TENTHS of a second to end by themselves, makes sure
# that none is left and, if MODE is `remove`, removes DIRECTORY.
directory=$(cd "$1" && pwd -P)
mode=$2
patience=$3

# Sets `left` to the processes that still run. A pid file holds `PID STARTTIME`; the server leads the session PID,
# which outlives it as long as it has members. Pids come back, so a process must also work in DIRECTORY.
find_left() {
  left=
  sessions=' '
  for file in "$directory"/*.pid; do
    read -r pid _ < "$file" && sessions="$sessions$pid "
  done
  for file in /proc/[0-9]*/stat; do
    read -r stat < "$file" || continue
    set -- "${stat%% *}" ${stat##*) }
    # Pid, state, parent, group, session.
    case "$2$sessions" in
      Z*) ;;
      *" $5 "*) case $(readlink "/proc/$1/cwd") in "$directory"/*) left="$left $1" ;; esac ;;
    esac
  done
}

while read -r _; do :; done
waited=0
find_left
while [ -n "$left" ] && [ "$waited" -lt "$patience" ]; do
  sleep 0.1
  waited=$((waited + 1))
  find_left
done
if [ -n "$left" ]; then
  kill -9 $left
fi
if [ "$mode" = remove ]; then
  rm -rf "$directory"
fi
