systemctl stop cloakroom
runuser -u postgres -- psql -c "ALTER DATABASE cloakroom RENAME TO cloakroom_before" -c "CREATE DATABASE cloakroom OWNER cloakroom"
runuser -u postgres -- pg_restore --exit-on-error --dbname=cloakroom < /var/backups/cloakroom/cloakroom.dump
runuser -u postgres -- psql --dbname=cloakroom -c "DELETE FROM cloakroom.epochs"
cloakroom sessions revoke --config /etc/cloakroom/cloakroom.yaml --created-before "$(date --iso-8601=seconds)"
systemctl start cloakroom
