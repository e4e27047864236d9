export SERVICE_KEY="$(cloakroom credentials add --data-dir trial --scope sessions:create --json | jq -r '.[0].key')"
export SERVICE_URL=http://127.0.0.1:8081/service/sessions
cd Examples/own-login/flask/site
python3 -m flask run --port 3000
