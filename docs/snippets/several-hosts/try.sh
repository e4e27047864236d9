python3 Examples/gateway/app.py &
cloakroom serve --upstream http://127.0.0.1:3000 --signup open \
    --public-url http://login.localhost:8080 --hosts shop.localhost,board.localhost
