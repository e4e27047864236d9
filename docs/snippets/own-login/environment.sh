export SERVICE_URL=http://127.0.0.1:8081/service/sessions           # privateListen
export SERVICE_KEY=crk_...                                          # the key that credentials add has shown
export PUBLIC_URL=https://app.example.com                           # publicURL
export JWKS_URL=http://127.0.0.1:8080/.well-known/jwks.json         # the public listener
