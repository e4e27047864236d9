"""Faults of the instances of Cloakroom."""
from faults_base import Fault


class Clock(Fault):
    """The wall clock of one instance is an hour wrong."""
    name = "clock"
    seconds = (10, 20)

    def begin(self):
        self.instance = self.random.choice(self.cluster.instances)
        hours = self.random.choice([-1, 1])
        self.instance.move_clock(hours * 3600)
        return f"{self.instance}: {hours:+d} h"

    def end(self):
        self.instance.move_clock(0)


class KillInstance(Fault):
    name = "kill-instance"
    seconds = (2, 8)

    def begin(self):
        self.instance = self.random.choice(self.cluster.instances)
        self.instance.kill()
        return self.instance

    def end(self):
        self.instance.start()


class RollingRestart(Fault):
    """An upgrade: one instance after the other ends by SIGTERM, starts, and is ready before the next one ends."""
    name = "rolling-restart"
    seconds = (1, 3)

    def begin(self):
        order = self.random.sample(self.cluster.instances, 3)
        for instance in order:
            self.cluster.restart(instance)
        return ", ".join(map(str, order))
