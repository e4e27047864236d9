umask 077
mkdir -p /var/backups/cloakroom
runuser -u postgres -- pg_dump --format=custom cloakroom > /var/backups/cloakroom/cloakroom.dump
pg_restore --list /var/backups/cloakroom/cloakroom.dump | grep "TABLE DATA cloakroom sessions"
