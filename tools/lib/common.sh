# What every tool needs: messages, the repository's folder, the user that runs servers. Sourced, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # for whoever sources this
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PATH=$PATH:/usr/sbin:/sbin

say() { echo "agent_queue: $*"; }

die() {
  echo "agent_queue: $*" >&2
  exit 1
}

# Postgres refuses to run as root: then its own user runs what starts a server.
server_user() {
  if ((EUID != 0)); then id -un; else echo "${AQ_SERVER_USER:-postgres}"; fi
}

# Runs a command as that user. Its home and working folder are its own; the rest of the environment stays.
as_server_user() {
  local user
  if ((EUID != 0)); then
    "$@"
    return
  fi
  user=$(server_user)
  (cd / && runuser -u "$user" -- env HOME="$(home_of "$user")" "$@")
}

home_of() { getent passwd "$1" | cut -d: -f6; }

# Runs a command as root: directly, or by sudo.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: $*"
  fi
}

pg_config_path() { echo "${PG_CONFIG:-pg_config}"; }
pg_bindir() { "$(pg_config_path)" --bindir; }
pg_major() { "$(pg_config_path)" --version | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p'; }

# The folder of pgxs/src/test, where pg_regress, isolationtester and the TAP modules are.
pgxs_test_dir() { echo "$(dirname "$("$(pg_config_path)" --pgxs)")/../test"; }
