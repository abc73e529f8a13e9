# The scratch server: one cluster per version of Postgres in the cache folder of the user who runs it, reachable by a unix
# socket alone, with a database 'demo' that has the extension. Used by tools/demo and tools/psql. Sourced, not run.
# shellcheck shell=bash

scratch_home() {
  local user
  user=$(server_user)
  if [[ -n ${AQ_SCRATCH_DIR:-} ]]; then
    echo "$AQ_SCRATCH_DIR"
  elif ((EUID != 0)); then
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/agent_queue"
  else
    echo "$(home_of "$user")/.cache/agent_queue"
  fi
}

scratch_init() {
  getent passwd "$(server_user)" >/dev/null || die "there is no user $(server_user); set AQ_SERVER_USER"
  scratch_base=$(scratch_home)
  scratch=$scratch_base/pg$(pg_major)
  # The path of a unix socket has room for 107 bytes.
  if ((${#scratch} > 85)); then die "the path $scratch is too long for a socket; set AQ_SCRATCH_DIR"; fi
  # In the home of the server's user the folders are its own from the start; elsewhere they are given to it.
  as_server_user mkdir -p "$scratch_base" 2>/dev/null || as_root mkdir -p "$scratch_base"
  if ((EUID == 0)); then chown "$(server_user)" "$scratch_base"; fi
  as_server_user chmod 700 "$scratch_base"
  as_server_user mkdir -p "$scratch/run"
  export AQ_STUB_DIR=$scratch_base/stub AQ_STUB_USER=${AQ_STUB_USER:-$(server_user)}
}

# Writes its input into a file of the server's user.
scratch_write() { as_server_user tee "$1" >/dev/null; }

scratch_psql() {
  PGOPTIONS='-c client_min_messages=warning' PGCONNECT_TIMEOUT=10 \
    "$(pg_bindir)/psql" -X -q -v ON_ERROR_STOP=1 -h "$scratch/run" -p 5432 -U postgres -d "${scratch_database:-demo}" "$@"
}

scratch_psql_line() { echo "$(pg_bindir)/psql -h $scratch/run -U postgres demo"; }

scratch_running() { as_server_user "$(pg_bindir)/pg_ctl" -D "$scratch/data" status >/dev/null 2>&1; }

scratch_settings() {
  cat <<END
shared_preload_libraries = 'agent_queue'
listen_addresses = ''
unix_socket_directories = '$scratch/run'
port = 5432
max_worker_processes = 16
log_line_prefix = '%m [%p] %b '
agent_queue.max_in_flight = $1
END
}

installed_script() { cat "$("$(pg_config_path)" --sharedir)"/extension/agent_queue--*.sql | sha256sum; }
installed_library() { sha256sum <"$("$(pg_config_path)" --pkglibdir)/agent_queue.so"; }

# Another script under the same version number is another schema: the cluster is made anew. It holds nothing but demos.
scratch_drop_if_outdated() {
  if [[ ! -e $scratch/data/PG_VERSION || $(cat "$scratch/script" 2>/dev/null) == "$(installed_script)" ]]; then return; fi
  say "the extension's SQL has changed: making the scratch cluster anew"
  scratch_stop
  as_server_user rm -rf "$scratch/data"
}

scratch_create() {
  if [[ -e $scratch/data/PG_VERSION ]]; then return; fi
  say "making a scratch cluster in $scratch"
  as_server_user rm -rf "$scratch/data"
  # Whoever may enter the folder of the socket is trusted: the server's user and root.
  as_server_user "$(pg_bindir)/initdb" -D "$scratch/data" -U postgres -E UTF8 --locale=C \
    --auth-local=trust --auth-host=reject >"/dev/null"
  echo "include = 'agent_queue.conf'" | as_server_user tee -a "$scratch/data/postgresql.conf" >/dev/null
  installed_script | scratch_write "$scratch/script"
}

# scratch_start MAX_IN_FLIGHT [KEY_VARIABLE]: runs the cluster with these settings. Of the API keys in the environment the
# server gets the one that it needs, and with a key it is always started again: the key may be another one.
scratch_start() {
  local settings state
  if [[ ! -e $("$(pg_config_path)" --pkglibdir)/agent_queue.so ]]; then
    die "the extension is not installed: make install"
  fi
  scratch_drop_if_outdated
  scratch_create
  settings=$(scratch_settings "$1")
  state=$(echo "$settings ${2:-} $(installed_library)" | sha256sum)
  if scratch_running && [[ -z ${2:-} && $(cat "$scratch/state" 2>/dev/null) == "$state" ]]; then return; fi
  scratch_stop
  scratch_write "$scratch/data/agent_queue.conf" <<<"$settings"
  scratch_launch "${2:-}"
  scratch_write "$scratch/state" <<<"$state"
}

scratch_launch() {
  local name hidden=()
  for name in "${KEY_VARIABLES[@]}"; do
    if [[ $name != "$1" ]]; then hidden+=(-u "$name"); fi
  done
  as_server_user env "${hidden[@]}" "$(pg_bindir)/pg_ctl" -D "$scratch/data" -l "$scratch/server.log" -s -w start \
    </dev/null || { tail -20 "$scratch/server.log" >&2 && die "the scratch server did not start"; }
}

scratch_stop() {
  if [[ -e $scratch/data/PG_VERSION ]] && scratch_running; then
    as_server_user "$(pg_bindir)/pg_ctl" -D "$scratch/data" -s -w -m fast stop
  fi
}

scratch_database() {
  if [[ -z $(scratch_database=postgres scratch_psql -At -c "SELECT 1 FROM pg_database WHERE datname = 'demo'") ]]; then
    scratch_database=postgres scratch_psql -c 'CREATE DATABASE demo'
  fi
  scratch_psql -c 'CREATE EXTENSION IF NOT EXISTS agent_queue'
}
