cloakroom credentials add --scope revocations:read
