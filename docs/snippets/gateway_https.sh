cloakroom serve --tls-self-signed --port 8443 --upstream http://127.0.0.1:3000
