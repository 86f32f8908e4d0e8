import ControlInstance

/// Checkpoints in the order and with the indentation of the tree that their parents make.
struct CheckpointTree {
    struct Line {
        let indentation: String
        let checkpoint: CheckpointSummary
    }

    let lines: [Line]

    init(_ checkpoints: [CheckpointSummary]) {
        let names = Set(checkpoints.map(\.checkpoint))
        // One whose parent is not there is a root, and so would be one that claims to be its own ancestor: whatever is not
        // reached from a root is added at the end, so that none is hidden.
        let children = Dictionary(grouping: checkpoints) { $0.parent.flatMap { names.contains($0) ? $0 : nil } }
        var lines: [Line] = []
        var seen: Set<String> = []
        func visit(_ checkpoint: CheckpointSummary, _ prefix: String, _ branch: String, _ below: String) {
            guard seen.insert(checkpoint.checkpoint).inserted else { return }
            lines.append(Line(indentation: prefix + branch, checkpoint: checkpoint))
            let own = (children[checkpoint.checkpoint] ?? []).sorted { $0.created < $1.created }
            for (index, child) in own.enumerated() {
                let isLast = index == own.count - 1
                visit(child, prefix + below, isLast ? "└─ " : "├─ ", isLast ? "   " : "│  ")
            }
        }
        for root in (children[nil] ?? []).sorted(by: { $0.created < $1.created }) { visit(root, "", "", "") }
        for checkpoint in checkpoints { visit(checkpoint, "", "", "") }
        self.lines = lines
    }
}
