(umask 077; set -C; cloakroom keys secret > /etc/cloakroom/master-secret)
mkdir -p /etc/systemd/system/cloakroom.service.d
cat > /etc/systemd/system/cloakroom.service.d/master-secret.conf <<'CONF'
[Service]
LoadCredential=master-secret:/etc/cloakroom/master-secret
CONF
cp /etc/cloakroom/cloakroom.yaml /etc/cloakroom/postgresql.yaml
sed -i '/^store:/d' /etc/cloakroom/postgresql.yaml
cat >> /etc/cloakroom/postgresql.yaml <<'YAML'
store: postgres://cloakroom@db1,db2,db3/cloakroom?target_session_attrs=read-write&sslmode=verify-full
YAML
