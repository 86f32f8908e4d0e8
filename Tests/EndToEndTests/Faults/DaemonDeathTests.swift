import Glibc
import JSON
import Testing

extension FaultTests {
    /// The daemon is killed with -9 at many moments of an operation; the next verb starts another one, which settles it.
    @Suite struct DaemonDeathTests {
        /// After the command was given, in milliseconds.
        static let moments = [30, 90, 130, 170, 210, 260, 320, 400, 500, 700, 1000]

        @Test func `killed while it wrote the journal: what never became an entry is cleared away`() async throws {
            try await FaultLab.with { lab in
                try await lab.done("ps")
                try await lab.killDaemon()
                let half = open("\(lab.home.path)/journal/half.json.new", O_WRONLY | O_CREAT, 0o600)
                #expect(half >= 0)
                close(half)
                try await lab.done("ps")
                lab.expectSettled("half an entry")
            }
        }

        @Test func `killed at any moment of a suspend: saved and gone, or all run on`() async throws {
            try await FaultLab.with { lab in
                try await lab.up()
                var ends: [String: Int] = [:]
                for moment in Self.moments {
                    let name = "t\(moment)"
                    let suspend = try await lab.fermata("suspend", "\(FaultLab.name)@\(name)") { _ in
                        try await Task.sleep(for: .milliseconds(moment))
                        try await lab.killDaemon()
                    }
                    let state = try await lab.state()
                    ends["\(suspend.status), \(state ?? "none")", default: 0] += 1
                    let what = "daemon killed \(moment) ms into the suspend; ps: \(state ?? "none"); \(suspend)"
                    #expect([0, 1, 4, 5].contains(suspend.status), "\(what)")
                    if state == "suspended" {
                        try await lab.expect([:], what)
                        try await lab.expectWhole(name, what)
                        try await lab.done("resume", FaultLab.name)
                    } else {
                        #expect(state == "running", "\(what)")
                        #expect(suspend.status != 0, "\(what)")
                        #expect(!lab.checkpoints.contains(name), "\(what)")
                    }
                    try await lab.expect(["alpha": "running", "beta": "running"], what)
                }
                print("ends of suspends with a killed daemon, by exit code and state after: \(ends)")
                try await lab.done("suspend", "\(FaultLab.name)@last")
                try await lab.done("resume", "\(FaultLab.name)@last")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }

        @Test func `killed at any moment of a resume: all run, or none is left`() async throws {
            try await FaultLab.with { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                var ends: [String: Int] = [:]
                for moment in Self.moments {
                    let resume = try await lab.fermata("resume", "\(FaultLab.name)@first") { _ in
                        try await Task.sleep(for: .milliseconds(moment))
                        try await lab.killDaemon()
                    }
                    let state = try await lab.state()
                    ends["\(resume.status), \(state ?? "none")", default: 0] += 1
                    let what = "daemon killed \(moment) ms into the resume; ps: \(state ?? "none"); \(resume)"
                    #expect([0, 1, 4, 5].contains(resume.status), "\(what)")
                    try await lab.expectWhole("first", what)
                    if state == "running" {
                        try await lab.expect(["alpha": "running", "beta": "running"], what)
                        try await lab.done("down", FaultLab.name)
                    } else {
                        #expect(resume.status != 0, "\(what)")
                    }
                    try await lab.expect([:], what)
                }
                print("ends of resumes with a killed daemon, by exit code and state after: \(ends)")
                try await lab.done("resume", "\(FaultLab.name)@first")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }
    }
}
