/// Columns for people: no borders, two spaces between, upper-case header; cut only where a width is asked for.
package struct TextTable {
    /// How wide a line may be, for a terminal; nil: never cut.
    @TaskLocal package static var fittingColumns: Int?
    /// Limit: no column is made narrower than this.
    private static let narrowest = 8

    private var rows: [[String]]

    /// Without a header the first row added is it.
    package init(_ header: String...) { rows = header.isEmpty ? [] : [header] }

    package mutating func add(_ cells: String...) { rows.append(cells) }
    package mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The lines, without spaces at their ends; an empty cell is kept as room.
    package var text: String {
        let widths = fitted(naturalWidths)
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let shown = Self.cut(cell, to: widths[column])
                line += shown + String(repeating: " ", count: widths[column] - shown.count + 2)
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    private var naturalWidths: [Int] {
        (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
        }
    }

    /// The widest columns give way first.
    private func fitted(_ natural: [Int]) -> [Int] {
        guard let limit = Self.fittingColumns else { return natural }
        var widths = natural
        var excess = widths.reduce(0, +) + 2 * max(0, widths.count - 1) - limit
        while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }) {
            guard widths[widest] > Self.narrowest else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private static func cut(_ cell: String, to width: Int) -> String {
        cell.count <= width ? cell : cell.prefix(max(0, width - 1)) + "…"
    }
}

extension Optional where Wrapped: CustomStringConvertible {
    /// The value, or `-` when it is unknown.
    var orDash: String { map(\.description) ?? "-" }
}
