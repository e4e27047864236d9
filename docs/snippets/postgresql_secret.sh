(umask 077; cloakroom keys secret > /etc/cloakroom/master-secret)
