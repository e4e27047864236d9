TARGET="postgres://cloakroom@db1,db2,db3/cloakroom?target_session_attrs=read-write&sslmode=verify-full"
cloakroom migrate-store sqlite:/var/lib/cloakroom/cloakroom.sqlite "$TARGET" --finish \
    --config /etc/cloakroom/postgresql.yaml --master-secret-file /etc/cloakroom/master-secret &&
    mv /etc/cloakroom/postgresql.yaml /etc/cloakroom/cloakroom.yaml &&
    systemctl daemon-reload &&
    systemctl restart cloakroom
