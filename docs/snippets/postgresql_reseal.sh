cloakroom keys secret >> /etc/cloakroom/master-secret   # a second line; copy the file to every machine
sed -i '1{h;d};2G' /etc/cloakroom/master-secret         # the new secret first; copy the file again
cloakroom keys reseal --config cloakroom.yaml           # once
sed -i 2d /etc/cloakroom/master-secret                  # without the old secret; copy the file again
