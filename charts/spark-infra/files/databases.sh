# Makes each database and its owner, named as an argument DATABASE=USER; what is there stays, but the password, which is made
# that of /run/secrets/databases/USER. The server's address is PGHOST and PGPORT, its administrator PGUSER, whose password is
# in /run/secrets/administrator.
set -euo pipefail

PGPASSWORD=$(</run/secrets/administrator/password)
export PGPASSWORD PASSWORD
until pg_isready --quiet; do
    sleep 2
done
for pair; do
    user=${pair#*=}
    PASSWORD=$(<"/run/secrets/databases/$user")
    psql --no-psqlrc --quiet --dbname postgres --set ON_ERROR_STOP=1 --set "database=${pair%%=*}" --set "user=$user" <<'SQL'
\getenv password PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
SELECT format('GRANT %I TO CURRENT_USER', :'user') WHERE NOT pg_has_role(CURRENT_USER, :'user', 'MEMBER') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'user', :'password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'user')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE CONNECT ON DATABASE :"database" FROM PUBLIC;
SQL
    echo "${pair%%=*}: there, for $user"
done
