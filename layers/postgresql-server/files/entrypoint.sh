#!/bin/bash
# Makes a cluster where there is none, then serves it; arguments go to the server. Runs as any user but root.
set -euo pipefail
data=${PGDATA:-/var/lib/postgresql/data}

fail() {
    echo "postgresql: $*" >&2
    exit 64
}

# PostgreSQL asks for the name of its user, and a uid that nobody announced has none.
name_user() {
    if getent passwd "$(id -u)" >/dev/null; then
        return
    fi
    local names
    names=$(mktemp)
    { cat /etc/passwd && echo "postgres:x:$(id -u):$(id -g):PostgreSQL:/var/lib/postgresql:/bin/bash"; } >"$names"
    export NSS_WRAPPER_PASSWD=$names NSS_WRAPPER_GROUP=/etc/group LD_PRELOAD=libnss_wrapper.so
}

make_cluster() {
    local password=${POSTGRES_PASSWORD:-}
    if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then
        [[ -r $POSTGRES_PASSWORD_FILE ]] || fail "$POSTGRES_PASSWORD_FILE cannot be read"
        password=$(<"$POSTGRES_PASSWORD_FILE")
    fi
    [[ -n $password ]] || fail "no password; set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
    # Beside its place until it is whole: a start that was killed leaves nothing that the next one takes for a cluster.
    rm -rf "$data.new"
    initdb --pgdata="$data.new" --username="${POSTGRES_USER:-postgres}" --pwfile=<(printf '%s\n' "$password") \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-instructions
    echo "host all all all scram-sha-256" >>"$data.new/pg_hba.conf"
    mv -T "$data.new" "$data"
}

[[ $(id -u) != 0 ]] || fail "PostgreSQL refuses to run as root; start it as another user of group 0"
name_user
if [[ ! -s $data/PG_VERSION ]]; then
    make_cluster
fi
unset POSTGRES_PASSWORD
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c jit=off "$@"
