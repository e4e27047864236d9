# A key for your app. It is shown once.
export SERVICE_KEY="$(cloakroom credentials add --config /etc/cloakroom/cloakroom.yaml --scope claims:write --json | jq -r '.[0].key')"

# Your app gives a user the role; the user's id is X-Auth-Subject, or in the column ID of `cloakroom users list`.
curl -X PUT -H "Authorization: Bearer $SERVICE_KEY" -H 'Content-Type: application/json' \
     -d '{"claims": {"roles": ["admin"]}, "effect": "now"}' http://127.0.0.1:8081/service/subjects/u_.../claims
