/**
 * The supervisor of one process: a POSIX shell script that uses nothing but built-ins, so it costs well under a megabyte
 * and needs no agent. It starts the command in a session of its own, writes down who it is, waits, ends what the command
 * left behind in its process group and control group, and writes down the exit code. Killing the agent touches none of it.
 *
 * Arguments: run folder, files to join control groups by (blank-separated), then the command.
 * Files it writes, each in one write that ends in a newline (a reader takes a file without one as not written yet):
 * `claim` ("shim-pid shim-ticks", made exclusively: of two shims for one run the later one gives up), `pid` ("pid ticks
 * shim-pid shim-ticks boot-id", ticks being start times that tell a process from a later one of the same number),
 * `exit` (the exit code, 128 + signal when killed by a signal).
 */
export const SHIM_SCRIPT = `
folder=$1 joins=$2
shift 2
trap : HUP INT TERM PIPE
exec 4>&2 2>/dev/null
ticks() {
  stat=
  read -r stat < "/proc/$1/stat" || return 1
  set -- \${stat##*) }
  echo "\${20}"
}
self="$$ $(ticks $$)"
( set -C; echo "$self" > "$folder/claim" ) || exit 75
(
  for join in $joins; do echo 0 > "$join" || exit 125; done
  exec 2>&4 3>&- 4>&-
  exec "$@"
) &
child=$!
start=$(ticks "$child")
read -r boot < /proc/sys/kernel/random/boot_id
line="$child $start $self $boot"
echo "$line" > "$folder/pid"
echo "$line" >&3
exec 3>&-
while :; do
  wait "$child"
  code=$?
  case $code in
    129|130|141|143) [ -n "$start" ] && [ "$(ticks "$child")" = "$start" ] && continue ;;
  esac
  break
done
kill -KILL "-$child"
for join in $joins; do
  while read -r left; do kill -KILL "$left"; done < "$join"
  break
done
echo "$code" > "$folder/exit"
`;
