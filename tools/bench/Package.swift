// swift-tools-version: 6.2
import PackageDescription

// A package of its own, over links to the sources it measures: the product's manifest need not offer its modules to
// others for a benchmark's sake, and this builds in release mode in a minute.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "fermata-bench",
    targets: [
        .target(name: "CShims", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "Time", swiftSettings: settings),
        .target(name: "HostClock", dependencies: ["CShims", "Time"], swiftSettings: settings),
        .executableTarget(
            name: "bench-deadline",
            dependencies: ["CShims", "HostClock", "Time"],
            swiftSettings: settings
        ),
    ]
)
