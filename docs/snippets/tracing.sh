trace=0af7651916cd43dd8448eb211c80319c
curl --silent --output /dev/null --header "traceparent: 00-$trace-b7ad6b7169203331-01" \
  --json '{"email": "ann@example.com", "password": "not the right one"}' http://127.0.0.1:8080/auth/login
journalctl --unit cloakroom --output cat | jq --raw-input --compact-output "fromjson? | select(.trace_id == \"$trace\")"
