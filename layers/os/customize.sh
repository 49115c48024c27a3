#!/bin/sh
# Gives the Debian root in $1 what is ours. Runs on the building machine; only fixed values are written.
set -eu
root=$1

# The user that Spark's images have. Its files belong to group 0, so any other uid with gid 0 works as well (OpenShift
# gives each namespace a uid of its own). Written by hand: useradd would stamp the day into shadow.
echo 'spark:x:185:0:Spark:/home/spark:/bin/bash' >>"$root/etc/passwd"
echo 'spark:*:19000:0:99999:7:::' >>"$root/etc/shadow"
mkdir "$root/home/spark"
chown 185:0 "$root/home/spark"
chmod 0775 "$root/home/spark"

# Nobody changes identity inside these containers.
find "$root" -xdev -type f -perm /6000 -exec chmod ug-s {} +
