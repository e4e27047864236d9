import CSodium

/// Core dumps contain the process's memory, which has passwords and keys.
enum CoreDumps {
    /// Prevents core dumps of this process, and prevents other processes of the same user from reading its memory.
    static func forbid() {
        cloakroom_forbid_core_dumps()
    }
}
