// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.target(name: name)] + dependencies,
        swiftSettings: settings
    )
}

let core: [Target] = [
    .systemLibrary(name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
    .target(name: "CShims", cSettings: [.define("_GNU_SOURCE")]),
    module("JSON", ["CJSONC"]),
    module("Time"),
    module("QMP", ["JSON", "CShims", "Time"]),
    module("MigrationStream", ["JSON"]),
    module("GuestClock", ["MigrationStream", "Time"]),
    module("HostClock", ["CShims", "Time"]),
    module("HypervisorAPI", ["GuestClock", "Time"]),
    tests("JSON"),
    tests("Time"),
    tests("QMP", ["JSON", "CShims", "Time"]),
    tests("MigrationStream", ["JSON"]),
    tests("GuestClock", ["MigrationStream", "Time"]),
    tests("HostClock", ["CShims", "Time"]),
]

let package = Package(name: "fermata", targets: core)
