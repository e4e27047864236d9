TARGET="postgres://cloakroom@db1,db2,db3/cloakroom?target_session_attrs=read-write&sslmode=verify-full"
cloakroom migrate-store sqlite:/var/lib/cloakroom/cloakroom.sqlite "$TARGET" \
    --config /etc/cloakroom/postgresql.yaml --master-secret-file /etc/cloakroom/master-secret
