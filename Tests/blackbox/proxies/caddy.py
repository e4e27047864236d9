from proxy import Proxy


class Caddy(Proxy):
    name = program = group = "caddy"
    has_http2 = True

    def write(self):
        place = self.place
        written = self.file("Caddyfile", {
            "unix//run/cloakroom/private.sock": f"unix/{place.socket}",
            "reverse_proxy 127.0.0.1:8080": f"reverse_proxy 127.0.0.1:{place.server.port}",
            "reverse_proxy 127.0.0.1:3000": f"reverse_proxy 127.0.0.1:{place.backend.port}",
            "app.example.com {\n": f"https://app.example.com:{self.port} {{\n\tbind 127.0.0.1\n\ttls {place.certificate} {place.key}\n"})
        # No second listener, and no file outside of the directory of this test.
        options = "{\n\tadmin off\n\tauto_https off\n\tstorage file_system " + f"{self.directory}/storage\n}}\n"
        written.write_text(options + written.read_text())
        return ["caddy", "run", "--config", written, "--adapter", "caddyfile"]

    def environment(self):
        return super().environment() | {"HOME": str(self.directory), "XDG_CONFIG_HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory)}
