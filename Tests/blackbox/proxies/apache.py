import os
import re
import signal

from proxy import Proxy

THREADS = 8
MODULES = "/usr/lib/apache2/modules"
# Debian's apache2.conf loads these.
BASE = ["mpm_event", "authz_core"]
# a2enmod loads these for mod_ssl.
NEEDED_BY_SSL = ["socache_shmcb"]


class Apache(Proxy):
    name, program = "apache", "apache2"
    stop_signal = signal.SIGWINCH
    connections = THREADS       # each keeps one
    needs = [f"{MODULES}/mod_lua.so", "/usr/share/lua/5.3/socket.lua"]

    def write(self):
        place = self.place
        lua = self.file("cloakroom.lua", {"/run/cloakroom/private.sock": place.socket})
        recipe = self.file("forward-auth.conf", {
            "*:443>": f"*:{self.port}>", "/etc/apache2/cloakroom.lua check": f"{lua} check",
            "/etc/ssl/app.example.com/fullchain.pem": place.certificate, "/etc/ssl/app.example.com/privkey.pem": place.key,
            "http://127.0.0.1:8080/": f"http://127.0.0.1:{place.server.port}/",
            "http://127.0.0.1:3000/": f"http://127.0.0.1:{place.backend.port}/"})
        [enabled] = re.findall(r"^#   a2enmod ([\w ]+)", recipe.read_text(), re.M)
        loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in BASE + NEEDED_BY_SSL + enabled.split())
        user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
        configuration = self.directory / "apache2.conf"
        configuration.write_text(
            f"{loaded}{user}PidFile {self.directory}/apache2.pid\nDefaultRuntimeDir {self.directory}\nErrorLog {self.directory}/error.log\n"
            f"ServerName localhost\nListen 127.0.0.1:{self.port}\nStartServers 1\nServerLimit 1\nThreadsPerChild {THREADS}\nMaxRequestWorkers {THREADS}\n"
            f"SSLSessionCache none\nInclude {recipe}\n")
        return ["apache2", "-D", "FOREGROUND", "-f", configuration]
