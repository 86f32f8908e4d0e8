import FoundationEssentials
import HostClock
import HypervisorAPI
import Logging
import Time

/// What every part of a hypervisor works with: its folders, clocks, journal and tools.
struct Surroundings: Sendable {
    let home: String
    let host: String
    let logger: Logger
    let clock: any RealtimeClock
    let deadlines: DeadlineThreads
    let journal: Journal
    let probe = QEMUProbe()
    let launcher = Launcher()
    let disks = DiskLayers()
    let ram: RAMStore
    /// What other hosts' `checkpoints` are called here, absolute.
    let sharedFolders: [String]
    let streamRoom = StreamRoom()
    /// Of a resume, which loads between the two.
    let loadPace = ArmingPace(unknown: .milliseconds(200), most: .seconds(5))
    /// Of a suspend or a checkpoint: serialising, locking memory, waking the deadline's thread.
    let stopPace = ArmingPace(unknown: .milliseconds(60), most: .milliseconds(500))
    private let keepers = ResourceKeepers()

    init(home: String, host: String, ramFolder: String? = nil, sharedFolders: [String] = [], logger: Logger) throws {
        self.home = home
        self.host = host
        self.logger = logger
        clock = SystemClock()
        deadlines = try DeadlineThreads()
        ram = RAMStore(home: home, wanted: ramFolder)
        self.sharedFolders = sharedFolders
        journal = Journal(folder: "\(home)/journal")
        for folder in [home, journal.folder, machinesFolder] {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
    }

    /// How far this host's clock may be from true time; nil when nobody disciplines it and so nobody knows.
    var clockErrorBound: Span? { clockSynchronisation().errorBound }

    /// What of this host makes every operation's instant less exact than it could be.
    var precisionNotes: [String] {
        deadlines.privileges.shortcomings.map { "host \(host): \($0)" }
    }

    /// The one that holds this simulation's resources.
    func resources(of simulation: String) throws(HypervisorError) -> ResourceKeeper {
        try keepers.keeper(of: simulation, folder: folder(of: simulation))
    }

    /// Gives back what a simulation holds. A release that fails is told, and stops nothing: what it was for is over.
    func releaseResources(of simulation: String) async throws(HypervisorError) {
        for reason in try await resources(of: simulation).releaseAll() {
            logger.error("a resource was not released: \(reason)", metadata: ["simulation": "\(simulation)"])
        }
    }

    /// Machines that are to go on do so also where it cannot be written down: a disk that is full is no reason to stand still. Whoever asks how
    /// the operation was decided is told again.
    func noteRollback(of entry: JournalEntry) {
        do throws(HypervisorError) {
            try journal.note(entry.noting(.rollingBack))
        } catch {
            logger.error("a rollback is not in the journal: \(error)", metadata: ["operation": "\(entry.operation)"])
        }
    }

    /// Where a simulation's machines have their run folders, and its resources their record.
    func folder(of simulation: String) -> String { "\(machinesFolder)/\(simulation)" }

    /// Everything that a machine has only while it runs: sockets, logs, overlays, its record.
    func runFolder(of machine: MachineName) -> String { "\(folder(of: machine.simulation))/\(machine.machine)" }

    /// What a machine and its QEMU said, over all its processes; it outlives them.
    func logFolder(of machine: MachineName) -> String { "\(home)/logs/\(machine.simulation)/\(machine.machine)" }

    /// How quickly a machine follows commands, over all its processes.
    func leadFile(of machine: MachineName) -> String {
        "\(home)/leads/\(machine.simulation)/\(machine.machine).json"
    }

    /// The records of machines that a hypervisor before this one had in its charge.
    func storedRecords() -> [MachineRecord] {
        FolderListing.names(in: machinesFolder).flatMap { simulation in
            FolderListing.names(in: "\(machinesFolder)/\(simulation)").compactMap { machine in
                let folder = "\(machinesFolder)/\(simulation)/\(machine)"
                do throws(HypervisorError) {
                    return try MachineRecord.load(from: folder)
                } catch {
                    logger.debug("no machine in \(folder): \(error)")
                    return nil
                }
            }
        }
    }

    var machinesFolder: String { "\(home)/machines" }

    /// Each has a folder for every simulation.
    var simulationFolders: [String] { ["\(home)/logs", "\(home)/leads", machinesFolder] }
}
