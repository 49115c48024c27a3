#!/usr/bin/env bash
# Starts the part of Spark that the first argument names; anything that is no mode is run as it is.
#
#   driver ARGS…        a driver of Spark's Kubernetes backend     executor            its executor
#   master ARGS…        standalone master, port 7077, UI 8080      worker ARGS…        worker, UI 8081
#   connect ARGS…       Spark Connect server, port 15002           thrift ARGS…        JDBC/ODBC server, port 10000
#   history ARGS…       History Server, port 18080
#   shell [scala|python|sql] ARGS…
#
# ARGS go to spark-submit, or to the master, worker or History Server. The JVM replaces this shell, so signals reach it.
# Works as any user, with any configuration, and with a read-only root file system and a writable /tmp (mounted exec).
set -euo pipefail

: "${SPARK_HOME:=/opt/spark}"
export SPARK_HOME
SCRATCH=

fail() {
    printf 'entrypoint: %s\n' "$1" >&2
    exit 64
}

# A directory of this container's own for what its root file system or user cannot hold.
make_scratch() {
    if [[ -z $SCRATCH ]]; then
        SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/spark.XXXXXX")
    fi
}

ensure_home() {
    if [[ ! -d ${HOME:-} || ! -w $HOME || $HOME == / ]]; then
        make_scratch
        export HOME=$SCRATCH
    fi
}

# Hadoop and the JVM refuse a uid without a name, such as the one that OpenShift picks.
ensure_user_name() {
    local uid gid wrapper
    uid=$(id -u)
    gid=$(id -g)
    if getent passwd "$uid" >/dev/null; then
        return
    fi
    for wrapper in /usr/lib/*-linux-gnu/libnss_wrapper.so /usr/lib/libnss_wrapper.so; do
        [[ -e $wrapper ]] || continue
        make_scratch
        {
            printf '%s:x:%s:%s:Spark:%s:/bin/bash\n' "${SPARK_USER_NAME:-spark}" "$uid" "$gid" "$HOME"
            cat /etc/passwd
        } >"$SCRATCH/passwd"
        cp /etc/group "$SCRATCH/group"
        if ! getent group "$gid" >/dev/null; then
            printf 'spark-user:x:%s:\n' "$gid" >>"$SCRATCH/group"
        fi
        export NSS_WRAPPER_PASSWD=$SCRATCH/passwd NSS_WRAPPER_GROUP=$SCRATCH/group
        export LD_PRELOAD=$wrapper${LD_PRELOAD:+:$LD_PRELOAD}
        return
    done
    fail "uid $uid has no name, and libnss_wrapper.so is not in the image"
}

# Without a network, or with a host name that nothing resolves, Spark would not start; the loopback always works.
ensure_address() {
    if [[ -z ${SPARK_LOCAL_IP:-} ]] && ! getent hosts "$(hostname)" >/dev/null; then
        export SPARK_LOCAL_IP=127.0.0.1
    fi
}

# Docker mounts a tmpfs noexec unless told otherwise; snappy, zstd and others load native code from there.
warn_of_noexec() {
    local place options
    while read -r _ place _ options _; do
        if [[ $place == "${TMPDIR:-/tmp}" && ,$options, == *,noexec,* ]]; then
            printf 'entrypoint: %s is mounted noexec: native libraries cannot load; mount it with exec\n' "$place" >&2
        fi
    done </proc/mounts
}

# A Service named spark-master makes Kubernetes set SPARK_MASTER_PORT=tcp://…, where Spark expects a number.
drop_service_links() {
    local name
    for name in SPARK_MASTER_PORT SPARK_MASTER_WEBUI_PORT SPARK_WORKER_PORT SPARK_WORKER_WEBUI_PORT; do
        if [[ ${!name:-} == tcp://* ]]; then
            unset "$name"
        fi
    done
}

# Servers and executors put files, warehouses and catalogues into their working directory.
ensure_workdir() {
    if [[ ! -w . ]]; then
        make_scratch
        cd "$SCRATCH"
    fi
}

# --conf options for what SPARK_FLAVOUR_CONF names: properties files that the image holds beside its configuration, a colon
# between them. What a later one says again counts.
FLAVOUR=()
read_flavour() {
    local files file key value
    IFS=: read -ra files <<<"${SPARK_FLAVOUR_CONF:-}"
    for file in "${files[@]}"; do
        [[ -r $file ]] || fail "SPARK_FLAVOUR_CONF: $file cannot be read"
        while read -r key value; do
            if [[ -n $key && $key != \#* ]]; then
                FLAVOUR+=(--conf "$key=$value")
            fi
        done <"$file"
    done
}

run_class() {
    exec "$SPARK_HOME/bin/spark-class" "$@"
}

run_driver() {
    ensure_workdir
    exec "$SPARK_HOME/bin/spark-submit" \
        --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
        --deploy-mode client \
        "${FLAVOUR[@]}" \
        "$@"
}

# Spark passes the executor's options as SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …
run_executor() {
    local index=0 name options=() classpath
    for name in SPARK_EXECUTOR_MEMORY SPARK_DRIVER_URL SPARK_EXECUTOR_ID SPARK_EXECUTOR_CORES SPARK_APPLICATION_ID \
        SPARK_EXECUTOR_POD_IP SPARK_RESOURCE_PROFILE_ID SPARK_EXECUTOR_POD_NAME; do
        [[ -n ${!name:-} ]] || fail "executor: $name is not set; Spark's Kubernetes backend starts executors"
    done
    while name=SPARK_JAVA_OPT_$index && [[ -n ${!name+set} ]]; do
        options+=("${!name}")
        index=$((index + 1))
    done
    ensure_workdir
    classpath="${HADOOP_CONF_DIR:+$HADOOP_CONF_DIR:}${SPARK_CONF_DIR:-$SPARK_HOME/conf}"
    classpath+="${SPARK_CLASSPATH:+:$SPARK_CLASSPATH}:$SPARK_HOME/jars/*"
    classpath+="${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}:$PWD"
    exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
        -Xms"$SPARK_EXECUTOR_MEMORY" -Xmx"$SPARK_EXECUTOR_MEMORY" \
        -cp "$classpath" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" \
        --executor-id "$SPARK_EXECUTOR_ID" \
        --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" \
        --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
        --podName "$SPARK_EXECUTOR_POD_NAME"
}

run_master() {
    ensure_workdir
    run_class org.apache.spark.deploy.master.Master "$@"
}

run_worker() {
    if [[ -n ${SPARK_MASTER_URL:-} ]]; then
        set -- "$SPARK_MASTER_URL" "$@"
    elif [[ " $* " != *" spark://"* ]]; then
        fail "worker: name the master, as SPARK_MASTER_URL=spark://HOST:7077 or as an argument"
    fi
    ensure_workdir
    export SPARK_WORKER_DIR=${SPARK_WORKER_DIR:-${TMPDIR:-/tmp}/spark-work}
    run_class org.apache.spark.deploy.worker.Worker "$@"
}

# The scripts that Spark has for its servers would leave them in the background, and the container would end.
run_connect() {
    ensure_workdir
    run_class org.apache.spark.deploy.SparkSubmit \
        --class org.apache.spark.sql.connect.service.SparkConnectServer \
        --name "Spark Connect server" \
        --conf spark.connect.grpc.binding.address=0.0.0.0 \
        "${FLAVOUR[@]}" \
        "$@" \
        spark-internal
}

run_thrift() {
    ensure_workdir
    run_class org.apache.spark.deploy.SparkSubmit \
        --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 \
        --name "Thrift JDBC/ODBC server" \
        "${FLAVOUR[@]}" \
        "$@" \
        spark-internal
}

# The default event log directory; the server refuses to start without it.
run_history() {
    ensure_workdir
    mkdir -p "${TMPDIR:-/tmp}/spark-events"
    run_class org.apache.spark.deploy.history.HistoryServer "$@"
}

run_shell() {
    local program=spark-shell
    case ${1:-} in
        scala) shift ;;
        python) program=pyspark && shift ;;
        sql) program=spark-sql && shift ;;
    esac
    exec "$SPARK_HOME/bin/$program" "${FLAVOUR[@]}" "$@"
}

run_program() {
    local program=$1
    shift
    case $program in
        spark-submit | spark-shell | spark-sql | pyspark) exec "$program" "${FLAVOUR[@]}" "$@" ;;
        *) exec "$program" "$@" ;;
    esac
}

ensure_home
ensure_user_name
drop_service_links
ensure_address
warn_of_noexec
read_flavour
mode=${1:-shell}
shift $(($# > 0 ? 1 : 0))
case $mode in
    driver | executor | master | worker | connect | thrift | history | shell) "run_$mode" "$@" ;;
    *) run_program "$mode" "$@" ;;
esac
