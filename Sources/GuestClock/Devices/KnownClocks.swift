/// Which state descriptions are clocks, in which layout versions, and how QEMU's releases differ. The one place where a new
/// release is taught.
enum KnownClocks {
    struct Entry: Sendable {
        var versions: Set<UInt32>
        /// A device may have several clocks.
        var make: @Sendable (DeviceImage) throws(ClockError) -> [any ClockDevice]
    }

    /// By name of the state description. Those that need more than their own section are ``GuestClocks``' business.
    static let entries: [String: Entry] = [
        "mc146818rtc": Entry(versions: [3]) { image throws(ClockError) in [try MC146818(image)] },
        "pl031": Entry(versions: [1]) { image throws(ClockError) in [try PL031(image)] },
        // 2 until QEMU 7.2.0; its stable releases write 3.
        "goldfish_rtc": Entry(versions: [2, 3]) { image throws(ClockError) in [try Goldfish(image)] },
        "spapr/rtc": Entry(versions: [1]) { image throws(ClockError) in [try SpaprRTC(image)] },
        // 1 until QEMU 7.2.
        "aspeed.rtc": Entry(versions: [1, 2]) { image throws(ClockError) in
            [try TimedateClock(image, model: image.version == 1 ? .aspeedVersion1 : .aspeed)]
        },
        "ds1338": Entry(versions: [2]) { image throws(ClockError) in [try TimedateClock(image, model: .ds1338)] },
        "rs5c372": Entry(versions: [1]) { image throws(ClockError) in [try TimedateClock(image, model: .rs5c372)] },
        "ls7a_rtc": Entry(versions: [1]) { image throws(ClockError) in
            [try TimedateClock(image, model: .ls7aCalendar), try LS7ACounter(image)]
        },
        "todclock": Entry(versions: [1]) { image throws(ClockError) in [try TODClock(image)] },
        "imx7.snvs": Entry(versions: [1]) { image throws(ClockError) in [try SNVS(image)] },
        "xlnx-zynmp.rtc": Entry(versions: [1]) { image throws(ClockError) in [try ZynqMPRTC(image)] },
        "m48t59": Entry(versions: [1]) { image throws(ClockError) in [BaseOnlyClock(image)] },
        "kvmclock": Entry(versions: [1]) { image throws(ClockError) in [try KVMClock(image)] },
    ]

    static let virtualClock = (device: "timer", versions: Set<UInt32>([2]))

    /// Machines with a clock that saves no state at all: machine type, the clock, and by how many seconds it is ahead of
    /// `-rtc base=`.
    static let stateless: [String: (device: String, distance: Int128)] = [
        "sam460ex": ("m41t80", -1)
    ]

    /// Machines with a clock that some QEMU releases save and others do not.
    static let unsaved: [String: String] = ["mcimx7d-sabre": "imx7.snvs", "mcimx6ul-evk": "imx7.snvs"]

    /// Clocks whose time cannot be set, and why.
    static let uncontrolled: [String: String] = [
        "allwinner-rtc": "it does not tick: it holds what the guest last wrote",
        "exynos4210.rtc": "it counts in its own registers and stands still with the machine; only `continue` suits it",
        "strongarm-rtc": "this program does not know how it keeps its time",
        "pxa2xx_rtc": "this program does not know how it keeps its time",
        "omap_rtc": "this program does not know how it keeps its time",
        "menelaus": "this program does not know how its clock keeps its time",
        "cuda": "this program does not know how its clock keeps its time",
        "pmu": "this program does not know how its clock keeps its time",
        "mac-via": "this program does not know how its clock keeps its time",
    ]

    /// Machines, by the beginning of their type's name, whose clock is set wrong by the very save of its state, as long as the
    /// process that was saved goes on.
    static let disturbedBySaving: [String: String] = [
        "xlnx-zcu102": "xlnx-zynmp.rtc", "xlnx-versal-virt": "xlnx-zynmp.rtc", "amd-versal": "xlnx-zynmp.rtc",
    ]

    /// A clock by its name, though nothing else is known of it.
    static func looksLikeClock(_ device: String) -> Bool {
        device.lowercased().contains("rtc")
    }
}
