# What every scenario can use. Objects of the cluster that a scenario makes are called x-...
# Given: DOCKER_HOST IMG NODE NODE2 (ids) NODES (how many) HOSTSED (host names to <HOST>, for sed) SDIR (scratch folder)
set +e
cd "$SDIR" || exit 1

# run CMD...: prints the command, its output and its exit code
run() {
  echo "$ $*"
  "$@" </dev/null 2>&1
  echo "rc=$?"
}

# sh_ LINE: the same for a line of shell
sh_() {
  echo "$ $1"
  bash -c "$1" 2>&1
  echo "rc=$?"
}

# q CMD...: preparation; prints something only when it fails
q() {
  local said code
  said=$("$@" </dev/null 2>&1)
  code=$?
  [ $code = 0 ] || printf 'SETUP FAILED: %s\n%s\nrc=%d\n' "$*" "$said" $code
  return $code
}

# until_ SECONDS CONDITION [LABEL]: waits until a line of shell succeeds
until_() {
  local label=${3:-$2} end=$((SECONDS + $1))
  until bash -c "$2" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then
      echo "TIMEOUT: $label"
      return 1
    fi
    sleep 0.25
  done
  echo "ok: $label"
}

# replicas SERVICE M/N [SECONDS]: waits until `service ls` shows that
replicas() {
  until_ "${3:-40}" "docker service ls --filter name=$1 --format '{{.Name}} {{.Replicas}}' | cut -d' ' -f1,2 | grep -qxF '$1 $2'" "$1 is $2"
}

# settled SERVICE N [SECONDS]: waits until N tasks run, N are wanted and all others have ended
settled() {
  local ps="docker service ps --format '{{.CurrentState}}' $1 --filter desired-state"
  local ends="$ps=running | wc -l | grep -qx $2 && $ps=running | grep -c ^Running | grep -qx $2"
  until_ "${3:-40}" "$ends && ! $ps=shutdown | grep -qE '^(Assigned|Preparing|Ready|Starting|Running)'" \
    "$1 has $2 running and nothing in between"
}

# ustate SERVICE STATE [SECONDS]: waits for the state of its update
ustate() {
  until_ "${3:-60}" "docker service inspect $1 --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' | grep -qx $2" \
    "$1 update is $2"
}

# taskstates SERVICE: its tasks as name|image|wanted|state|error, without ages and ids, sorted
taskstates() {
  docker service ps --no-trunc --format '{{.Name}}|{{.Image}}|{{.DesiredState}}|{{.CurrentState}}|{{.Error}}' "$1" 2>&1 |
    sed -E 's/\|([A-Z][a-z]+) [^|]*\|/|\1|/; s/\.[a-z0-9]{25}\|/.NODE|/' | sort
}

# counts SERVICE: how many tasks there are of each wanted and actual state
counts() {
  docker service ps --format '{{.DesiredState}} {{.CurrentState}}' "$1" | awk '{print $1, $2}' | sort | uniq -c | sed 's/^ *//'
}

# updated SERVICE N FLAG...: updates it with these flags, and says whether its N running tasks were kept or replaced
updated() {
  local service=$1 count=$2 before after
  shift 2
  before=$(docker service ps -q --filter desired-state=running "$service" | sort | tr '\n' ' ')
  docker service update -d "$@" "$service" >/dev/null 2>&1 || echo "refused: $*"
  sleep .3
  until_ 20 "! docker service inspect $service -f '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' | grep -qx updating" "no update is open" >/dev/null
  settled "$service" "$count" >/dev/null
  after=$(docker service ps -q --filter desired-state=running "$service" | sort | tr '\n' ' ')
  [ "$before" = "$after" ] && echo "kept     $*" || echo "replaced $*"
}

# insp SERVICE TEMPLATE
insp() {
  docker service inspect --format "$2" "$1" 2>&1
}

# docker_py: plays the Python script on its input, which finds docker-py's `api`, shown(VALUE) and call(LABEL, FUNCTION, ...)
docker_py() {
  {
    cat <<'P'
import json, re, docker
from docker.types import *
api = docker.from_env(timeout=60).api
def shown(value):
    text = json.dumps(value, sort_keys=True)
    text = re.sub(r'"(CreatedAt|UpdatedAt|Created|Timestamp)": "[^"]*"', r'"\1": T', text)
    text = re.sub(r'"(TrustRoot|CertIssuerSubject|CertIssuerPublicKey)": "[^"]*"', r'"\1": X', text)
    text = re.sub(r'"ForceRotate": \d+, ', '', text)
    return re.sub(r'"Index": \d+', '"Index": N', text)
def call(label, function, *args, **kwargs):
    try:
        result = function(*args, **kwargs)
        print(label, shown(result))
        return result
    except docker.errors.APIError as error:
        print(label, 'REFUSED', error.response.status_code, error.explanation)
    except Exception as error:
        print(label, 'CLIENT', type(error).__name__, error)
P
    cat
  } >script.py
  /usr/bin/python3 -W ignore script.py 2>&1
}
