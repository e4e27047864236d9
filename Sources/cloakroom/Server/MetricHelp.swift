/// What each metric counts, for the `# HELP` lines of `/metrics`.
enum MetricHelp {
    static func text(_ name: String) -> String {
        texts[name] ?? "A metric of a library."
    }

    static let texts = [
        "cloakroom_http_request_duration_seconds": "Time from the head of a request to its response, by route.",
        "cloakroom_security_events_total": "Security events, by kind.",
        "cloakroom_denials_total": "Refused requests, by the code of the answer.",
        "cloakroom_sessions": "Sessions that can be used, counted every 30 seconds.",
        "cloakroom_store_groups_total": "Groups of writes, or of reads, that were carried out together, by queue.",
        "cloakroom_store_members_total": "Writes and reads in these groups.",
        "cloakroom_store_repeated_total": "Writes that ran again after a conflict or a failure.",
        "cloakroom_store_refused_total": "Writes refused: the queue was full, or they had waited too long.",
        "cloakroom_store_waiting": "Writes that wait in the queue.",
        "cloakroom_store_group_duration_seconds": "Time to carry out a group, by queue.",
        "cloakroom_store_connections_total": "Connections to PostgreSQL, by result.",
        "cloakroom_clock_difference_seconds": "How far the clock of this machine is ahead of that of PostgreSQL.",
        "cloakroom_feed_age_seconds": "How long ago the view of revocations was last proved to be current.",
        "process_cpu_seconds_total": "Total user and system CPU time spent in seconds.",
        "process_max_fds": "Maximum number of open file descriptors.",
        "process_open_fds": "Number of open file descriptors.",
        "process_resident_memory_bytes": "Resident memory size in bytes.",
        "process_start_time_seconds": "Start time of the process since unix epoch in seconds.",
        "process_threads": "Number of OS threads in the process.",
        "process_virtual_memory_bytes": "Virtual memory size in bytes.",
    ]
}
