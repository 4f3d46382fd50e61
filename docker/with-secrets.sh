#!/bin/sh
# Runs a program with secrets in its environment, as env(1) does with values, but from files:
#
#   with-secrets NAME=FILE … PROGRAM [ARGUMENT …]
#
# A secret is then in one process, not in the compose file and not in what `docker inspect` shows.
set -eu

while [ "${1#*=}" != "$1" ]; do
    name=${1%%=*}
    file=${1#*=}
    value=$(cat "$file") || {
        echo "error: cannot read \`$file\` for $name; docker/secrets.sh makes the secrets" >&2
        exit 1
    }
    export "$name=$value"
    shift
done

exec "$@"
