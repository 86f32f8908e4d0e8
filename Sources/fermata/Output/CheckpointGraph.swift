import ControlInstance

/// Checkpoints in the order in which they were made, beside the lines of the tree that their parents make: as `git log --graph`, with
/// the newest last.
struct CheckpointGraph {
    /// What lines are drawn with.
    struct Strokes: Sendable {
        let node, current, down, across, fork, last, middle: String

        static let unicode = Strokes(
            node: "●",
            current: "◉",
            down: "│",
            across: "─",
            fork: "├",
            last: "╮",
            middle: "┬"
        )
        static let plain = Strokes(node: "*", current: "@", down: "|", across: "-", fork: "|", last: ".", middle: ".")
    }

    struct Line {
        /// As wide as all others.
        var drawing: String
        /// nil: only branches part here.
        var checkpoint: CheckpointSummary?
    }

    private(set) var lines: [Line] = []
    /// For each column the checkpoint whose line it is, nil: free.
    private var columns: [String?] = []
    private let strokes: Strokes

    init(_ checkpoints: [CheckpointSummary], _ strokes: Strokes) {
        self.strokes = strokes
        let ordered = checkpoints.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        var drawn: Set<String> = []
        for (index, checkpoint) in ordered.enumerated() {
            // A parent that is not there, or was made later (a clock that was set back), leads to no line.
            let children = ordered[(index + 1)...].filter { $0.parent == checkpoint.checkpoint }.map(\.checkpoint)
            let column = columns.firstIndex(of: checkpoint.checkpoint) ?? freeColumn()
            drawn.insert(checkpoint.checkpoint)
            draw(checkpoint, in: column)
            columns[column] = children.first
            part(children.dropFirst(), from: column)
            while columns.last == .some(nil) { columns.removeLast() }
        }
        let width = lines.map(\.drawing.count).max() ?? 0
        for index in lines.indices {
            lines[index].drawing += String(repeating: " ", count: width - lines[index].drawing.count)
        }
    }

    private mutating func freeColumn(after column: Int = -1) -> Int {
        if let free = columns.indices.first(where: { $0 > column && columns[$0] == nil }) { return free }
        columns.append(nil)
        return columns.count - 1
    }

    private mutating func draw(_ checkpoint: CheckpointSummary, in column: Int) {
        let cells = columns.indices.map { index in
            index == column
                ? checkpoint.current ? strokes.current : strokes.node : columns[index] == nil ? " " : strokes.down
        }
        lines.append(Line(drawing: cells.joined(separator: " "), checkpoint: checkpoint))
    }

    /// All children but the first get columns to the right.
    private mutating func part(_ children: some Collection<String>, from column: Int) {
        guard !children.isEmpty else { return }
        let before = columns
        var branches: Set<Int> = []
        for child in children {
            let branch = freeColumn(after: column)
            columns[branch] = child
            branches.insert(branch)
        }
        let last = branches.max() ?? column
        var drawing = ""
        for index in columns.indices {
            let wasDown = index < before.count && before[index] != nil
            switch index {
            case column: drawing += strokes.fork
            case last: drawing += strokes.last
            case _ where branches.contains(index): drawing += strokes.middle
            case _ where wasDown: drawing += strokes.down
            case column..<last: drawing += strokes.across
            default: drawing += " "
            }
            if index < columns.count - 1 { drawing += (column..<last).contains(index) ? strokes.across : " " }
        }
        lines.append(Line(drawing: drawing, checkpoint: nil))
    }
}
