cloakroom migrate --config cloakroom.yaml
cloakroom users list --config cloakroom.yaml
cloakroom sessions list --config cloakroom.yaml
