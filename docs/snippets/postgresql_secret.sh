(umask 077; set -C; cloakroom keys secret > /etc/cloakroom/master-secret)
