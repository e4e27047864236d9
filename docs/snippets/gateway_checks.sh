export CLOAKROOM_CONFIG=/etc/cloakroom/cloakroom.yaml
cloakroom routes check GET /static/app.css
cloakroom routes check GET /%61pi/notes
cloakroom routes check POST /api/payments/7
cloakroom routes check GET /api/payments/7
cloakroom routes check GET /admin/users
cloakroom routes check POST /pricing
cloakroom routes check POST /auth/login
cloakroom routes check GET /static/../api/notes
