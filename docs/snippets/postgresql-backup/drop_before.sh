runuser -u postgres -- psql -c "DROP DATABASE cloakroom_before"
