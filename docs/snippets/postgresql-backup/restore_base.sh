systemctl stop cloakroom
systemctl stop postgresql
mv /var/lib/postgresql/15/main /var/lib/postgresql/15/main.before
cp -a /var/backups/cloakroom/base /var/lib/postgresql/15/main
# Without an archive of the log. With one: restore_command = 'cp /archive/%f %p', and the database is as new as the archive.
echo "restore_command = 'false'" >> /var/lib/postgresql/15/main/postgresql.auto.conf
touch /var/lib/postgresql/15/main/recovery.signal
systemctl start postgresql
cloakroom sessions revoke --config /etc/cloakroom/cloakroom.yaml --created-before "$(date --iso-8601=seconds)"
systemctl start cloakroom
