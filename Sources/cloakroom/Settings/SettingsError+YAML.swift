import Foundation
import Yams

extension SettingsError {
    /// A text that is not YAML, in the words of an operator: the parser's own messages speak of tokens and contexts.
    init(yaml error: any Error, in path: String) {
        switch error as? YamlError {
        case .scanner(_, _, let mark, let yaml)?, .parser(_, _, let mark, let yaml)?,
            .composer(_, _, let mark, let yaml)?:
            let place = "\(path): line \(mark.line), column \(mark.column)"
            self.init(place: place, problem: Self.problem(in: yaml, line: mark.line))
        case .duplicatedKeysInMapping(let keys, _)?:
            self.init(place: "\(path): \(keys.sorted().joined(separator: ", "))", problem: "stands twice")
        case .reader(_, let offset, _, let yaml)?:
            let line = yaml.prefix(offset ?? 0).count { $0.isNewline } + 1
            self.init(
                place: "\(path): line \(line)",
                problem: "is not YAML: expected text, got a control character that YAML does not allow")
        case .no?, .memory?, .writer?, .emitter?, .representer?, .dataCouldNotBeDecoded?, nil:
            self.init(place: path, problem: "cannot be read as YAML")
        }
    }

    private static func problem(in yaml: String, line: Int) -> String {
        let lines = yaml.split(omittingEmptySubsequences: false) { $0.isNewline }
        if lines.indices.contains(line - 1), lines[line - 1].prefix(while: \.isWhitespace).contains("\t") {
            return "is not YAML: expected spaces before the key, got a tab"
        }
        return """
            is not YAML: expected lines such as "port: 8443", every bracket and quote closed, and quotes around a value \
            that contains ": " or begins with a special character such as * & ! % @ [ {
            """
    }
}
