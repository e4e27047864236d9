from proxy import Proxy


class HAProxy(Proxy):
    name = program = group = "haproxy"
    has_http2 = True

    def write(self):
        place = self.place
        lua = self.file("cloakroom.lua", {"/run/cloakroom/private.sock": place.socket})
        pem = self.directory / "app.pem"
        pem.write_text(place.certificate.read_text() + place.key.read_text())
        configuration = self.file("haproxy.cfg", {
            "    user haproxy\n    group haproxy\n": "",        # only root can change the user
            "/etc/haproxy/cloakroom.lua\n\n": f"{lua}\n\n", "bind :443 ": f"bind 127.0.0.1:{self.port} ",
            "/etc/ssl/app.example.com/app.pem": pem, "server app 127.0.0.1:3000": f"server app 127.0.0.1:{place.backend.port}",
            "server cloakroom 127.0.0.1:8080": f"server cloakroom 127.0.0.1:{place.server.port}"})
        return ["haproxy", "-f", configuration]
