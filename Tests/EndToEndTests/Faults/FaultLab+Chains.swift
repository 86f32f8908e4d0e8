import FoundationEssentials
import JSON
import Testing

extension FaultLab {
    /// The disk that `alpha` writes, as its QEMU has it: the node, the device, the files from the top down.
    struct OpenDisk: Sendable {
        var node: String
        var device: String
        var files: [String]
    }

    func openDisk() throws -> OpenDisk {
        let answer = try MonitorProbe(path: probe("alpha")).ask("query-block")
        for device in answer["return"]?.arrayValue ?? [] {
            guard let inserted = device["inserted"], inserted["ro"]?.boolValue == false,
                let node = inserted["node-name"]?.stringValue, let path = device["qdev"]?.stringValue
            else { continue }
            var files: [String] = []
            var image = inserted["image"]
            while let file = image?["filename"]?.stringValue {
                files.append(file)
                image = image?["backing-image"]
            }
            return OpenDisk(node: node, device: path, files: files)
        }
        throw CLIError("alpha writes no disk: \(answer)")
    }

    /// Writes what a guest would: a whole mebibyte of one value.
    func writeDisk(_ value: Int, atMebibyte place: Int) throws {
        let command = "qemu-io -d \(try openDisk().device) \\\"write -P \(value) \(place)M 1M\\\""
        let answer = try MonitorProbe(path: probe("alpha"))
            .ask("human-monitor-command", #"{"command-line":"\#(command)"}"#)
        guard answer["error"] == nil, answer["return"]?.stringValue?.contains("rror") != true else {
            throw CLIError("alpha's disk cannot be written: \(answer)")
        }
    }

    /// What lies at a place of a checkpoint's disk.
    func diskHas(_ value: Int, atMebibyte place: Int, in checkpoint: String) throws -> Bool {
        let folder = CheckpointFiles(of: self, checkpoint).folder
        let said = try CheckpointFiles.shell(
            "for disk in '\(folder)'/machines/alpha/disk-*.qcow2; do "
                + "qemu-io -r -U -f qcow2 -c 'read -P \(value) \(place)M 1M' \"$disk\" 2>&1 || true; done"
        )
        guard said.contains("read 1048576/1048576") else {
            throw CLIError("\(checkpoint)'s disk cannot be read: \(said)")
        }
        return !said.contains("verification failed")
    }

    /// Begins to shorten the chain in the daemon's name.
    /// - Parameter speed: bytes a second; 0 is no limit.
    func beginStream(speed: Int) throws {
        let disk = try openDisk()
        let job = streamJob(of: disk)
        let answer = try MonitorProbe(path: probe("alpha")).ask(
            "block-stream",
            #"{"job-id":"\#(job)","device":"\#(disk.node)","base":"\#(base)","speed":\#(speed)}"#
        )
        guard answer["error"] == nil else { throw CLIError("no stream on \(disk): \(answer)") }
    }

    func setStreamSpeed(_ speed: Int) throws {
        let job = streamJob(of: try openDisk())
        let arguments = #"{"device":"\#(job)","speed":\#(speed)}"#
        _ = try MonitorProbe(path: probe("alpha")).ask("block-job-set-speed", arguments)
    }

    func blockJobs() throws -> [String] {
        let answer = try MonitorProbe(path: probe("alpha")).ask("query-block-jobs")
        return (answer["return"]?.arrayValue ?? []).compactMap { $0["device"]?.stringValue }
    }

    private func streamJob(of disk: OpenDisk) -> String { "fermata-stream-\(disk.node)" }
}
