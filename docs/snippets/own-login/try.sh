site() { curl -b jar -c jar -H 'Origin: http://localhost:8080' -H 'Content-Type: application/json' "$@"; echo; }

# A page, without a session: 302 to /login?return_to=/.
curl -i -H 'Accept: text/html' http://localhost:8080/

# Log in at the app. The response sets Cloakroom's cookie; curl saves it in the file `jar`.
site http://localhost:8080/login -d '{"email": "ann@example.com", "password": "correct horse battery"}'
cp jar first

# The app knows the user from the headers.
site http://localhost:8080/me

# Log in again in the same browser. The first session ends: 401 session_revoked.
site http://localhost:8080/login -d '{"email": "ann@example.com", "password": "correct horse battery"}'
curl -b first http://localhost:8080/me
