import CSodium

/// Images of the process's memory, which holds passwords and keys.
enum CoreDumps {
    /// No crash of this process writes its memory to a file, and no other process of the same user may read it.
    static func forbid() {
        cloakroom_forbid_core_dumps()
    }
}
