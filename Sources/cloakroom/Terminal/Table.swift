import CloakroomCore

/// The rows that a command prints: a table for people, JSON for scripts.
struct Table {
    struct Cell {
        let text: String
        let json: JSONValue
        let style: Terminal.Style?

        init(_ text: String, json: JSONValue? = nil, style: Terminal.Style? = nil) {
            self.text = text
            self.json = json ?? .string(text)
            self.style = style
        }
    }

    /// The JSON name of each column. Its title is the same in capitals.
    let columns: [String]
    var rows: [[Cell]] = []

    func show(asJSON: Bool, emptyMessage: String) {
        if asJSON {
            Terminal.print(String(decoding: json.serialized, as: UTF8.self))
        } else if rows.isEmpty {
            Terminal.print(Terminal.styled(emptyMessage, .faint))
        } else {
            Terminal.print(lines.joined(separator: "\n"))
        }
    }

    private var json: JSONValue {
        .array(
            rows.map { row in
                var object = JSONObject()
                for (column, cell) in zip(columns, row) { object[column] = cell.json }
                return .object(object)
            })
    }

    private var lines: [String] {
        let widths = columns.indices.map { index in
            max(columns[index].count, rows.map { $0[index].text.count }.max() ?? 0)
        }
        let titles = columns.map { Cell($0.replacing("_", with: " ").uppercased(), style: .bold) }
        return ([titles] + rows).map { row in
            zip(row, widths).enumerated().map { index, pair in
                let (cell, width) = pair
                let padding = index == row.count - 1 ? 0 : width - cell.text.count
                return Terminal.styled(cell.text, cell.style) + String(repeating: " ", count: padding)
            }.joined(separator: "  ")
        }
    }
}
