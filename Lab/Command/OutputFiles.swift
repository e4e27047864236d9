import ArgumentParser
import Foundation

/// The files that a report is written to.
struct OutputFiles: ParsableArguments {
    @Option(help: ArgumentHelp("Write the run as JSON, with every request.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Write the report as one HTML page.", valueName: "file"))
    var html: String?
    @Option(help: ArgumentHelp("Write the report in Markdown.", valueName: "file"))
    var markdown: String?
    @Option(help: ArgumentHelp("Write the matrix as an SVG image.", valueName: "file"))
    var svg: String?

    func write(_ report: LabReport) throws {
        if let json { try Self.write(try SavedRun(report).serialized, to: json) }
        if let html { try Self.write(Array(try report.html().utf8), to: html) }
        if let markdown {
            let picture = svg.map { Self.path(from: markdown, to: $0) }
            try Self.write(Array(try report.markdown(picture: picture).utf8), to: markdown)
        }
        if let svg {
            let page = markdown.map { Self.path(from: svg, to: $0) } ?? ""
            try Self.write(Array(MatrixPicture(report: report, page: page).svg.utf8), to: svg)
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        do { try Data(bytes).write(to: URL(filePath: path)) } catch {
            throw LabError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// The link from one file to another.
    static func path(from source: String, to destination: String) -> String {
        let (source, destination) = (
            URL(filePath: source).standardizedFileURL.pathComponents.dropLast(),
            URL(filePath: destination).standardizedFileURL.pathComponents
        )
        let common = zip(source, destination).prefix { $0 == $1 }.count
        return (Array(repeating: "..", count: source.count - common) + destination.dropFirst(common))
            .joined(separator: "/")
    }
}
