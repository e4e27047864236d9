umask 077
mkdir -p /var/backups/cloakroom
chown postgres /var/backups/cloakroom
runuser -u postgres -- pg_basebackup --pgdata=/var/backups/cloakroom/base --checkpoint=fast
runuser -u postgres -- /usr/lib/postgresql/15/bin/pg_verifybackup /var/backups/cloakroom/base
