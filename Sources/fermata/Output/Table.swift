/// Aligned columns for people. Cells are plain text; styles are put around the padded cell, so they do not shift columns.
struct Table {
    enum Alignment { case left, right }

    struct Column {
        let title: String
        let alignment: Alignment

        static func left(_ title: String) -> Column { Column(title: title, alignment: .left) }
        static func right(_ title: String) -> Column { Column(title: title, alignment: .right) }
    }

    struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
        let text: String
        let style: Style?

        init(_ text: String, _ style: Style? = nil) {
            self.text = text
            self.style = style
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    init(_ columns: Column...) { self.columns = columns }

    mutating func add(_ cells: Cell...) { rows.append(cells) }

    var isEmpty: Bool { rows.isEmpty }

    /// One line a row, the titles first; columns that hold nothing at all are left out.
    func lines(_ styler: Styler) -> [String] {
        let used = columns.indices.filter { column in
            rows.contains { column < $0.count && !$0[column].text.isEmpty }
        }
        let widths = columns.indices.map { column in
            rows.reduce(columns[column].title.count) { max($0, column < $1.count ? $1[column].text.count : 0) }
        }
        let header = used.map { Cell(columns[$0].title, .faint) }
        let body = rows.map { row in used.map { $0 < row.count ? row[$0] : Cell("") } }
        return ([header] + body).map { cells in
            zip(used, cells).enumerated().map { position, pair in
                let (column, cell) = pair
                let missing = String(repeating: " ", count: widths[column] - cell.text.count)
                let isLast = position == used.count - 1
                switch columns[column].alignment {
                case .right: return missing + styler.apply(cell.style, cell.text)
                case .left: return styler.apply(cell.style, cell.text) + (isLast ? "" : missing)
                }
            }
            .joined(separator: "  ")
        }
    }
}
