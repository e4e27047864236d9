package import Foundation

/// Checks that no user but the owner can use a file or directory.
package enum FileAccess {
    /// Refuses files that other users can read or write. Allows the groups of this process: Kubernetes' `fsGroup` gives
    /// each file of a volume that group and the mode 0660 at every mount.
    package static func check(file path: String, _ status: stat) throws {
        try check(path, status, others: 0o007, group: 0o070, "can be used by other users; run: chmod 600 \(path)")
    }

    /// Refuses directories that other users can use, as `check(file:)` does files.
    package static func check(directory path: String, _ status: stat) throws {
        try check(path, status, others: 0o007, group: 0o070, "can be used by other users; run: chmod 700 \(path)")
    }

    /// Whether other users could have created files in the directory.
    static func isWritableByOthers(_ status: stat) -> Bool {
        status.st_mode & 0o002 != 0 || status.st_mode & 0o020 != 0 && !isOwn(status.st_gid)
    }

    private static func check(
        _ path: String, _ status: stat, others: mode_t, group: mode_t, _ complaint: String
    ) throws {
        let isOpenToOthers = status.st_mode & others != 0
        let isOpenToAnotherGroup = status.st_mode & group != 0 && !isOwn(status.st_gid)
        guard isOpenToOthers || isOpenToAnotherGroup else { return }
        let remedy = status.st_uid == geteuid() ? nil : remedyForOwner(of: path)
        throw UnusableData(.permission, "\(path) \(remedy.map { "can be used by other users; \($0)" } ?? complaint)")
    }

    /// What to run about a file that another user made, such as a container that once ran as root; nil for one of our own.
    /// Without access to its directory, that directory is named.
    package static func remedyForOwner(of path: String) -> String? {
        var (path, status) = (path, stat())
        while stat(path, &status) != 0 {
            let parent = (path as NSString).deletingLastPathComponent
            guard !parent.isEmpty, parent != path else { return nil }
            path = parent
        }
        guard geteuid() != 0, status.st_uid != geteuid() else { return nil }
        return
            "it belongs to user \(status.st_uid) and this process is user \(geteuid()); run: chown -R \(geteuid()) \(path)"
    }

    private static func isOwn(_ group: gid_t) -> Bool {
        if group == getegid() { return true }
        var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
        let count = getgroups(Int32(groups.count), &groups)
        return groups.prefix(max(0, Int(count))).contains(group)
    }

    /// The status of a file, with symbolic links followed; nil if nothing exists at the path.
    /// - Throws: for every error but `ENOENT`, and for a symbolic link whose target does not exist.
    package static func status(of path: String) throws -> stat? {
        var status = stat()
        guard stat(path, &status) != 0 else { return status }
        guard errno == ENOENT else { throw UnusableData(path, "cannot be looked at", errno: errno) }
        guard lstat(path, &status) != 0 else { throw UnusableData(.damaged, "\(path) is a link that leads nowhere") }
        return nil
    }
}
