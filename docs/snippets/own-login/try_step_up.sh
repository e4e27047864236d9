# 401 insufficient_user_authentication, and for a page 302 to /login?return_to=/payments&step_up=1.
site http://localhost:8080/payments -d '{}'
curl -i -b jar -H 'Accept: text/html' http://localhost:8080/payments

# The password again. Then the same request is allowed.
site http://localhost:8080/step-up -d '{"password": "correct horse battery"}'
site http://localhost:8080/payments -d '{}'

# Log out. Afterwards: 401 session_missing.
site http://localhost:8080/auth/logout -X POST
site http://localhost:8080/me
