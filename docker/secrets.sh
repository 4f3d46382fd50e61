#!/bin/sh
# Makes the secrets of docker-compose.yml, random ones, each in a file of its own:
#
#   docker/secrets.sh [FOLDER]        the folder is secrets/ beside docker-compose.yml unless given
#
# What is there already stays: the passwords are also in the volumes, so a new one would lock its owner out. To begin
# again, remove the folder and the volumes (docker compose --profile '*' down --volumes) together.
#
# Compose mounts these files with the mode and the owner they have here, and every image runs as another user. So the
# files are readable by all, and the folder is closed: nobody else on this machine can reach them.
set -eu

folder=${1:-$(dirname "$0")/../secrets}
mkdir -p "$folder"
chmod 0700 "$folder"
written=0

# Hexadecimal digits stand for themselves in SQL, URLs and JSON.
random_hex() { # BYTES
    head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'
}

# A Fernet key is 32 bytes in the alphabet of base64 that URLs allow.
random_fernet_key() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'
}

# Puts a file into the folder, whole or not at all.
store() { # NAME CONTENT
    if [ -z "$2" ]; then
        echo "error: \`$1\` would be empty; are head, od, tr and base64 installed?" >&2
        exit 1
    fi
    printf '%s' "$2" > "$folder/.$1.new"
    chmod 0444 "$folder/.$1.new"
    mv -f "$folder/.$1.new" "$folder/$1"
    written=$((written + 1))
}

# Stores a secret unless there is one.
secret() { # NAME CONTENT
    if [ ! -s "$folder/$1" ]; then store "$1" "$2"; fi
}

# Stores a secret once more, in the words of whoever reads it. This file follows the secret.
wording() { # NAME CONTENT
    if [ ! -f "$folder/$1" ] || [ "$(cat "$folder/$1")" != "$2" ]; then store "$1" "$2"; fi
}

secret postgres_password "$(random_hex 24)"      # the superuser
secret users_app_password "$(random_hex 24)"     # the role that owns the users table
secret sluice_password "$(random_hex 24)"        # the role that reads the WAL
secret airflow_password "$(random_hex 24)"       # the role that owns Airflow's metadata
secret airflow_admin_password "$(random_hex 12)" # admin's log-in to Airflow
secret airflow_fernet_key "$(random_fernet_key)" # encrypts what Airflow keeps in its metadata
secret airflow_jwt_secret "$(random_hex 64)"     # signs the tokens between the parts of Airflow
secret airflow_api_secret_key "$(random_hex 32)" # signs the sessions of Airflow's UI

users_app=$(cat "$folder/users_app_password")
airflow=$(cat "$folder/airflow_password")
admin=$(cat "$folder/airflow_admin_password")
wording users_app_settings "host=postgres user=users_app password=$users_app dbname=users"
wording airflow_connections.env "users_db=postgresql://users_app:$users_app@postgres:5432/users"
wording airflow_database_url "postgresql+psycopg2://airflow:$airflow@postgres:5432/airflow"
wording airflow_users.json "{\"admin\": \"$admin\"}"

echo "$folder: $written files written. Airflow's user is admin, its password is in airflow_admin_password."
