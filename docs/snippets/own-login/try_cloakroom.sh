cloakroom serve --config docs/snippets/own-login/gateway.yaml --public-url http://localhost:8080 --data-dir trial
