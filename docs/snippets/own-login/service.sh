service() { curl -sS --fail-with-body -H "Authorization: Bearer $SERVICE_KEY" -H 'Content-Type: application/json' "$@"; }

# Begin a session. Your backend does this after it has checked the password.
service http://127.0.0.1:8081/service/sessions -o session.json -d '{
  "subject": "42", "authentication": {"amr": ["pwd"]}, "remember": true, "claims": {"roles": ["editor"]},
  "browser": {"method": "POST", "host": "localhost:8080", "origin": "http://localhost:8080", "sec_fetch_site": "same-origin",
              "user_agent": "Mozilla/5.0", "ip": "203.0.113.7"}}'
jq -r '.set_cookie[]' session.json

# Give the user another role. Access tokens with the old one count as expired from now on.
service http://127.0.0.1:8081/service/subjects/42/claims -X PUT -d '{"claims": {"roles": ["admin"]}, "effect": "now"}'

# List the sessions of the user, then end all but one.
service http://127.0.0.1:8081/service/subjects/42/sessions
service "http://127.0.0.1:8081/service/subjects/42/sessions?except=$(jq -r .session.id session.json)" -X DELETE

# Block the user: no session, and no new one.
service http://127.0.0.1:8081/service/subjects/42 -X PUT -d '{"blocked": true}'

# What has happened?
service http://127.0.0.1:8081/service/events
