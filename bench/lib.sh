# What every benchmark needs: a scratch server of its own, the stub, the machine in one line, figures as JSON lines and
# their median. Sourced, not run.
# shellcheck shell=bash
# shellcheck source=tools/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tools/lib/common.sh"
# shellcheck source=tools/lib/provider.sh
. "$ROOT/tools/lib/provider.sh"
# shellcheck source=tools/lib/scratch.sh
. "$ROOT/tools/lib/scratch.sh"

BODY_BYTES=700
CEILING=$ROOT/build/bench/transport_ceiling
TICKS_PER_SECOND=$(getconf CLK_TCK)
quick=${AQ_BENCH_QUICK:-0}
pairs=${AQ_BENCH_PAIRS:-5}
results='' stub_root='' stub_pid=''

# In place of the demo's settings: those of a small production server. One worker, so that figures are those of one.
scratch_settings() {
  cat <<END
shared_preload_libraries = 'agent_queue'
listen_addresses = ''
unix_socket_directories = '$scratch/run'
port = 5432
max_worker_processes = 16
log_line_prefix = '%m [%p] %b '
shared_buffers = 512MB
max_wal_size = 8GB
min_wal_size = 2GB
checkpoint_timeout = 30min
fsync = on
synchronous_commit = on
agent_queue.min_workers = 1
agent_queue.max_workers = 1
agent_queue.start_paused = on
agent_queue.max_in_flight = $1
agent_queue.claim_batch = $claim_batch
END
}

# bench_begin NAME MAX_IN_FLIGHT CLAIM_BATCH: a new cluster, a running stub, the results file with the machine in it.
bench_begin() {
  claim_batch=$3
  build_ceiling
  raise_files
  AQ_SCRATCH_DIR=${AQ_BENCH_DIR:-$(scratch_home)/bench}
  scratch_init
  trap bench_end EXIT
  scratch_stop
  as_server_user rm -rf "$scratch/data" "$scratch/server.log"
  choose_stub
  stub_root=${provider_url%/v1} stub_pid=$(stub_worker)
  scratch_start "$2"
  scratch_database
  local folder=$ROOT/bench/results
  if ((quick == 1)); then folder=$ROOT/build/bench; fi
  mkdir -p "$folder"
  results=$folder/$1-$(date -u +%Y%m%d-%H%M%S).jsonl
  machine "$1" "$2" >"$results"
}

# shellcheck disable=SC2317 # the trap calls it
bench_end() {
  local status=$?
  scratch_stop || true
  "$ROOT/examples/stub/stub" stop || true
  if ((status != 0)); then
    tail -20 "$scratch/server.log" >&2 || true
    # Half of a series is not a result.
    rm -f "$results"
  else
    as_server_user rm -rf "$scratch/data"
  fi
}

build_ceiling() {
  local sources=("$ROOT"/src/{core,net,ports} "$ROOT/bench")
  if [[ -e $CEILING && -z $(find "${sources[@]}" -name '*.[ch]pp' -newer "$CEILING") ]]; then return; fi
  say "building bench/transport_ceiling"
  mkdir -p "$(dirname "$CEILING")"
  "${CXX:-g++}" -std=c++20 -O2 -g -fno-omit-frame-pointer -Wall -Wextra "-I$ROOT/src" \
    "$ROOT/bench/transport_ceiling.cpp" "$ROOT"/src/net/*.cpp "$ROOT"/src/core/{base,wire,credential}/*.cpp -lcurl -lcrypto -o "$CEILING"
}

# A call in flight is a descriptor of the caller and one of the stub.
raise_files() {
  local hard
  hard=$(ulimit -Hn)
  if [[ $hard == unlimited ]] || ((hard > 65536)); then hard=65536; fi
  ulimit -Sn "$hard"
}

stub_worker() { pgrep -P "$(cat "$AQ_STUB_DIR/nginx.pid")"; }

bench_sql() { scratch_psql -At -F ' ' "$@"; }

# The only worker, once it is there.
worker_pid() {
  local pid i
  for ((i = 0; i < 100; i++)); do
    pid=$(bench_sql -c 'SELECT pid FROM agent_workers')
    if [[ $pid =~ ^[0-9]+$ ]]; then
      echo "$pid"
      return
    fi
    sleep 0.1
  done
  die "there is not exactly one worker"
}

configure() { bench_sql -f "$ROOT/bench/setup.sql" -v url="$1" >/dev/null; }

# An empty queue with $1 waiting jobs in it, nothing left to write for what came before.
fill() { bench_sql -f "$ROOT/bench/fill.sql" -v jobs="$1" -v bytes="$BODY_BYTES" >/dev/null; }

# Lets the worker go over $1 waiting jobs and waits for the last one to be stored. Prints: seconds from the first claim
# to the last commit, seconds from the first claim to the last answer, calls in flight at most, rounds.
release() {
  bench_sql -c "ALTER SYSTEM SET agent_queue.start_paused = off" -c 'CALL bench_wait('"$1"')' \
    -c "ALTER SYSTEM SET agent_queue.start_paused = on" -c 'SELECT pg_reload_conf()' | sed -n 1p
}

# Every job must have been answered, booked and priced: a fast run that lost something is no result.
check_stored() {
  local found
  found=$(bench_sql -f "$ROOT/bench/check.sql")
  if [[ $found != "$1 $1" ]]; then die "of $1 jobs (completed, priced) are: $found"; fi
}

ceiling() { "$CEILING" "$stub_root/$1/v1/chat/completions" "$2" "$3" "$BODY_BYTES"; }

# Ten thousand connections that were closed hold their ports for a minute; looking for free ones among them makes the
# next ten thousand dearer by a third.
wait_for_ports() {
  local waiting=1000
  while ((waiting > 500)); do
    waiting=$(sed -n 's/^TCP:.* tw \([0-9]*\) .*/\1/p' /proc/net/sockstat)
    if ((waiting > 500)); then sleep 1; fi
  done
}

# The CPU time of a process in ticks.
ticks() {
  local stat
  stat=$(<"/proc/$1/stat")
  read -ra stat <<<"${stat##*) }"
  echo $((stat[11] + stat[12]))
}

# calculate FORMAT EXPRESSION
calculate() { awk "BEGIN { printf \"$1\", $2 }"; }

micros_per_job() { calculate %.1f "($2 - $1) / $TICKS_PER_SECOND * 1e6 / $3"; }

# json KIND [NAME NUMBER]...: one line.
json() {
  local line="{\"kind\":\"$1\""
  shift
  while (($# > 1)); do
    line+=",\"$1\":$2"
    shift 2
  done
  echo "$line}"
}

# The same with what transport_ceiling printed ($1) behind it.
json_with() {
  local head
  head=$(json "${@:2}")
  echo "${head%\}},${1#\{}"
}

# The value of a number in a JSON line.
number_of() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" <<<"$2"; }

median() { sort -g | awk '{ v[NR] = $1 } END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }

# The median of field $2 over the results' lines of kind $1.
median_of() { grep "\"kind\":\"$1\"" "$results" | sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" | median; }

record() { echo "$1" >>"$results"; }

load() { cut -d' ' -f1 /proc/loadavg; }

machine() {
  local cpu memory busy
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
  memory=$(awk '/^MemTotal/ { printf "%.0f", $2 / 1024 }' /proc/meminfo)
  busy=$(load)
  if awk "BEGIN { exit !($busy > 0.5 * $(nproc)) }"; then say "the load is $busy: the figures will say so" >&2; fi
  printf '{"kind":"machine","bench":"%s","date":"%s","cores":%d,"cpu":"%s","memory_mb":%d,"kernel":"%s",' \
    "$1" "$(date -u +%FT%TZ)" "$(nproc)" "$cpu" "$memory" "$(uname -r)"
  printf '"postgres":"%s","curl":"%s","commit":"%s","load":%s,"max_in_flight":%d,"claim_batch":%d,"files":%d}\n' \
    "$(bench_sql -c 'SHOW server_version')" "$(curl-config --version)" \
    "$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$busy" "$2" "$claim_batch" "$(ulimit -n)"
}
