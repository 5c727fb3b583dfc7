/// Columns for people: no borders, two spaces between, upper-case header, never cut.
package struct TextTable {
    private var rows: [[String]]

    /// Without a header the first row added is it.
    package init(_ header: String...) { rows = header.isEmpty ? [] : [header] }

    package mutating func add(_ cells: String...) { rows.append(cells) }
    package mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The lines, without spaces at their ends; an empty cell is kept as room.
    package var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

extension Optional where Wrapped: CustomStringConvertible {
    /// The value, or `-` when it is unknown.
    var orDash: String { map(\.description) ?? "-" }
}
