"""All faults by name. docs/chaos.md describes them."""
from faults_instances import Clock, KillInstance, RollingRestart
from faults_links import (
    CutDatabaseFromEtcd, CutDatabases, CutInstanceFromDatabase, CutPeers, CutProxyFromInstance, IsolateNode, LossyFailover)
from faults_servers import FreezeNode, KillEtcd, KillNode, KillPatroni, KillPostgres, PausePostgres, SlowDisk, Switchover

FAULTS = {fault.name: fault for fault in (
    KillPostgres, KillNode, KillPatroni, KillEtcd, PausePostgres, FreezeNode, SlowDisk, Switchover,
    IsolateNode, CutPeers, CutDatabaseFromEtcd, CutDatabases, CutInstanceFromDatabase, CutProxyFromInstance, LossyFailover,
    Clock, KillInstance, RollingRestart)}
SHORT = ("kill-postgres", "kill-instance", "kill-node", "cut-app-db", "rolling-restart")
