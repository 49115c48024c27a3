#!/usr/bin/env bash
# Hive's standalone metastore on PostgreSQL; what is neither of its modes is run as it is.
#
#   schema        creates the tables where there are none and says what was found; never upgrades, may run twice at once
#   metastore     serves Thrift on port 9083, once the schema is there
#
# All settings come from the environment and end in a file that only this user may read; *.xml in METASTORE_CONF_DIR says more,
# or says it otherwise. The JVM replaces this shell, so signals reach it. Works as any user, with a read-only root file system
# and a writable /tmp. docs/hive-metastore.md lists the variables and exit codes.
set -euo pipefail

: "${METASTORE_HOME:=/opt/hive}" "${METASTORE_DB_HOST:=}" "${METASTORE_DB_NAME:=}" "${METASTORE_DB_USER:=}"

fail() {
    printf 'hive-metastore: %s\n' "$1" >&2
    exit 64
}

# A Service named metastore-db makes Kubernetes set METASTORE_DB_PORT=tcp://…, where a number is expected.
drop_service_links() {
    local name
    for name in METASTORE_PORT METASTORE_DB_PORT; do
        if [[ ${!name:-} == tcp://* ]]; then
            unset "$name"
        fi
    done
}

need() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || fail "$name is not set"
    done
}

need_number() {
    [[ ${!1} =~ ^[0-9]+$ ]] || fail "$1 is no number: ${!1}"
}

need_switch() {
    [[ ${!1} == true || ${!1} == false ]] || fail "$1 is neither true nor false: ${!1}"
}

# Hadoop refuses a uid without a name, such as the one that OpenShift picks.
name_user() {
    if getent passwd "$(id -u)" >/dev/null; then
        return
    fi
    { cat /etc/passwd && printf 'hive:x:%s:%s:Hive:%s:/bin/bash\n' "$(id -u)" "$(id -g)" "$SCRATCH"; } >"$SCRATCH/passwd"
    export HOME=$SCRATCH NSS_WRAPPER_PASSWD=$SCRATCH/passwd NSS_WRAPPER_GROUP=/etc/group
    export LD_PRELOAD=libnss_wrapper.so${LD_PRELOAD:+:$LD_PRELOAD}
}

# Sets PASSWORD. No program that is started from here gets to see it in its environment or its arguments.
read_password() {
    PASSWORD=${METASTORE_DB_PASSWORD:-}
    if [[ -n ${METASTORE_DB_PASSWORD_FILE:-} ]]; then
        [[ -r $METASTORE_DB_PASSWORD_FILE ]] || fail "METASTORE_DB_PASSWORD_FILE: $METASTORE_DB_PASSWORD_FILE cannot be read"
        PASSWORD=$(<"$METASTORE_DB_PASSWORD_FILE")
    fi
    unset METASTORE_DB_PASSWORD
    [[ -n $PASSWORD ]] || fail "no password; set METASTORE_DB_PASSWORD or METASTORE_DB_PASSWORD_FILE"
    # shellcheck disable=SC2016 # Hadoop's variables, not the shell's
    [[ $PASSWORD != *'${'* ]] || fail 'the password has ${ in it, which Hadoop would take for a variable'
}

property() {
    local value=$2
    value=${value//&/"&amp;"}
    value=${value//</"&lt;"}
    value=${value//>/"&gt;"}
    printf '  <property><name>%s</name><value>%s</value></property>\n' "$1" "$value"
}

# A property only where its variable is set.
property_of() {
    if [[ -n ${!2:-} ]]; then
        property "$1" "${!2}"
    fi
}

render() {
    local file
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<configuration xmlns:xi="http://www.w3.org/2001/XInclude">\n'
    property javax.jdo.option.ConnectionURL "jdbc:postgresql://$METASTORE_DB_HOST:$METASTORE_DB_PORT/$METASTORE_DB_NAME?stringtype=unspecified"
    property javax.jdo.option.ConnectionDriverName org.postgresql.Driver
    property javax.jdo.option.ConnectionUserName "$METASTORE_DB_USER"
    property javax.jdo.option.ConnectionPassword "$PASSWORD"
    property_of metastore.warehouse.dir METASTORE_WAREHOUSE_DIR
    property_of fs.s3a.endpoint METASTORE_S3_ENDPOINT
    property_of fs.s3a.endpoint.region METASTORE_S3_REGION
    property_of fs.s3a.path.style.access METASTORE_S3_PATH_STYLE
    # The defaults name classes that only a whole Hive has, and a logger that needs one more library.
    property metastore.expression.proxy org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy
    property metastore.task.threads.always org.apache.hadoop.hive.metastore.events.EventCleanerTask
    property metastore.async.log.enabled false
    for file in "$METASTORE_CONF_DIR"/*.xml; do
        if [[ -e $file ]]; then
            [[ -r $file ]] || fail "$file cannot be read"
            printf '  <xi:include href="%s"/>\n' "$file"
        fi
    done
    printf '</configuration>\n'
}

# Checks everything before a JVM starts, and leaves the configuration in a directory of this container's own.
configure() {
    : "${METASTORE_CONF_DIR:=$METASTORE_HOME/conf.d}" "${METASTORE_PORT:=9083}" "${METASTORE_DB_PORT:=5432}"
    : "${METASTORE_DB_WAIT:=60}" "${METASTORE_S3_PATH_STYLE:=false}" "${METASTORE_LOG_LEVEL:=INFO}"
    export METASTORE_LOG_LEVEL
    need METASTORE_DB_HOST METASTORE_DB_NAME METASTORE_DB_USER "$@"
    need_number METASTORE_PORT
    need_number METASTORE_DB_PORT
    need_number METASTORE_DB_WAIT
    need_switch METASTORE_S3_PATH_STYLE
    read_password
    umask 077
    SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/hive-metastore.XXXXXX")
    name_user
    render >"$SCRATCH/metastore-site.xml"
    JAVA=(
        java
        -cp "$SCRATCH:$METASTORE_HOME/conf:$METASTORE_HOME/classes:$METASTORE_HOME/lib/*:/opt/spark/jars/*"
        -Djava.io.tmpdir="${TMPDIR:-/tmp}"
    )
}

run_schema() {
    configure
    exec "${JAVA[@]}" Schema create "$METASTORE_HOME" "$METASTORE_DB_WAIT"
}

run_metastore() {
    local options
    configure METASTORE_WAREHOUSE_DIR
    # Hive itself would try ten times, and say why in pages of stack traces.
    "${JAVA[@]}" Schema check "$METASTORE_HOME" "$METASTORE_DB_WAIT"
    read -ra options <<<"${METASTORE_HEAP:+-Xmx$METASTORE_HEAP} ${METASTORE_JAVA_OPTS:-}"
    # Log4j's own hook would end logging before Hive says that it ends.
    exec "${JAVA[@]}" -Dlog4j2.shutdownHookEnabled=false -XX:+ExitOnOutOfMemoryError "${options[@]}" \
        org.apache.hadoop.hive.metastore.HiveMetaStore -p "$METASTORE_PORT"
}

mode=${1:-metastore}
shift $(($# > 0 ? 1 : 0))
case $mode in
    schema | metastore)
        (($# == 0)) || fail "$mode takes no arguments: $*"
        drop_service_links
        "run_$mode"
        ;;
    *) exec "$mode" "$@" ;;
esac
