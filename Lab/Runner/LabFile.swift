import Foundation

/// The files of the lab's folder that are not Swift. They are read at run time from the checkout that the lab was built
/// in, so that an attacker's script can be changed without a build.
enum LabFile {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// - Parameter path: relative to the lab's folder.
    static func text(_ path: String) throws -> String {
        do {
            return try String(contentsOf: folder.appending(path: path), encoding: .utf8)
        } catch {
            throw LabError("\(folder.appending(path: path).path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// - Parameter path: relative to the lab's folder.
    static func bytes(_ path: String) throws -> [UInt8] { Array(try text(path).utf8) }
}
