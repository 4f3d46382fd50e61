# Runs beside a stack, started by it as: sh -c SCRIPT janitor DIRECTORY MODE
# Waits for the end of its standard input, which comes when the stack's process ends in any way, kill -9 included.
# Then makes sure that no server of DIRECTORY is left and, if MODE is `remove`, removes DIRECTORY.
directory=$1
mode=$2

# A pid file holds `PID STARTTIME`: the pair cannot come back, as a bare pid can.
alive() {
  read -r pid started < "$1" || return 1
  stat=$(cat "/proc/$pid/stat" 2> /dev/null) || return 1
  set -- ${stat##*) }
  [ "$1" != Z ] && [ "${20}" = "$started" ]
}

left() {
  for file in "$directory"/*.pid; do
    [ -e "$file" ] && alive "$file" && return 0
  done
  return 1
}

while read -r _; do :; done
waited=0
while left && [ "$waited" -lt 150 ]; do
  sleep 0.1
  waited=$((waited + 1))
done
for file in "$directory"/*.pid; do
  if [ -e "$file" ] && alive "$file"; then
    kill -9 "$pid"
  fi
done
if [ "$mode" = remove ]; then
  rm -rf "$directory"
fi
