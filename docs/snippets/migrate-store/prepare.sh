(umask 077; cloakroom keys secret > /etc/cloakroom/master-secret)
cp /etc/cloakroom/cloakroom.yaml /etc/cloakroom/postgresql.yaml
cat >> /etc/cloakroom/postgresql.yaml <<'YAML'
store: postgres://cloakroom@db1,db2,db3/cloakroom?target_session_attrs=read-write&sslmode=verify-full
masterSecretFile: /etc/cloakroom/master-secret
YAML
