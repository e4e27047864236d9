"""`kill -9` loses no acknowledged write."""
import threading
import time

from browser import PASSWORD, Client, generation
from server import Server, wait_until

CLIENTS = 6
KILLS = 200


class Renewing(threading.Thread):
    """Renews without a pause until the server dies. Keeps the last acknowledged cookie."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client
        self.renewals = 0
        self.refusal = None

    def run(self):
        while True:
            try:
                answer = self.client.refresh()
            except (OSError, ConnectionError, Exception) as error:  # the server was killed in the middle
                self.error = error
                return
            if answer.status != 200:
                self.refusal = answer
                return
            self.renewals += 1


def test_two_hundred_kills_during_renewals_end_no_session(tmp_path):
    server = Server(tmp_path / "data", stragglerWindow=0, reissueDelay=0, accessTokenLifetime=60)
    clients = [Client(server) for _ in range(CLIENTS)]
    for client in clients:
        client.sign_up()
    for round in range(KILLS):
        threads = [Renewing(client) for client in clients]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(thread.renewals or thread.refusal for thread in threads))
        time.sleep(round % 7 * 0.015)
        server.kill()
        for thread in threads:
            thread.join(10)
            assert thread.refusal is None, thread.refusal
        server.start()
    for client in clients:
        answer = client.refresh()
        assert answer.status == 200, answer
    assert all(generation(client.cookie) > 50 for client in clients)
    assert server.stop() == 0


def test_an_acknowledged_logout_and_password_survive_kill_9(tmp_path):
    server = Server(tmp_path / "data")
    for _ in range(10):
        client = Client(server)
        client.sign_up()
        ended = client.copy()
        ended.log_in(email=client.email)
        saved = ended.cookie
        assert ended.post("/auth/logout").status == 204
        change = {"current_password": PASSWORD, "new_password": "another fine phrase"}
        assert client.post("/auth/password", change).status == 204
        server.kill()
        server.start()
        assert ended.protected(cookie=saved).code == "session_revoked"
        assert client.protected().status == 200
        assert client.copy().log_in(email=client.email).code == "invalid_credentials"
        assert client.copy().log_in(email=client.email, password="another fine phrase").status == 200
    assert server.stop() == 0
