"""HAProxy in front of the instances, with the configuration of deploy/ha."""
import pathlib

CONFIGURATION = pathlib.Path(__file__).resolve().parent.parent / "deploy/ha/haproxy.cfg"


class Proxy:
    def __init__(self, machine, instances):
        self.machine = machine
        self.instances = instances
        self.url = f"http://{machine.address}:80"

    def start(self):
        path = self.machine.directory / "haproxy.cfg"
        path.write_text(self.configuration())
        self.process = self.machine.start("haproxy", "-db", "-f", path)

    def configuration(self):
        """The file as it is deployed, with the addresses of this network. There is no TLS, so the scheme is stated."""
        text = CONFIGURATION.read_text()
        for number, instance in enumerate(self.instances, 1):
            text = replace(text, f"10.0.0.{number}:8080", f"{instance.machine.address}:8080")
        text = replace(text, "bind :443 ssl crt /etc/ssl/app.example.com/app.pem alpn h2,http/1.1", "bind :80")
        text = replace(text, "log /dev/log local0", "log stdout format raw daemon warning")
        return replace(text, "%[ssl_fc,iif(https,http)]", "https")


def replace(text, old, new):
    assert old in text, f"{CONFIGURATION} does not have {old}"
    return text.replace(old, new)
