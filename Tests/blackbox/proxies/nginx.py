import os
import shutil

from proxy import Proxy, free_port
from server import ROOT


class Nginx(Proxy):
    name = program = "nginx"
    allows_on_every_success = True      # if it comes with an identity

    def write(self):
        place = self.place
        self.metrics_port = free_port()
        shutil.copytree(ROOT / "deploy/proxies/nginx/snippets", self.directory / "snippets")
        self.file("forward-auth.conf", {
            "server 127.0.0.1:8080;": f"server 127.0.0.1:{place.server.port};",
            "server unix:/run/cloakroom/private.sock;": f"server unix:{place.socket};",
            "server 127.0.0.1:3000;": f"server 127.0.0.1:{place.backend.port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "/etc/ssl/app.example.com/fullchain.pem": place.certificate, "/etc/ssl/app.example.com/privkey.pem": place.key})
        self.file("metrics.conf", {"listen 127.0.0.1:9180;": f"listen 127.0.0.1:{self.metrics_port};"})
        scratch = "".join(
            f"{name}_temp_path {self.directory}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # As root, nginx would change its worker to a user that may not open the directory of this test.
        user = "user root;" if os.getuid() == 0 else ""
        (self.directory / "nginx.conf").write_text(
            f"{user} pid {self.directory}/nginx.pid; daemon off; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; {scratch} include forward-auth.conf; include metrics.conf; }}\n")
        return ["nginx", "-p", self.directory, "-c", "nginx.conf", "-e", self.directory / "error.log"]
