// swift-tools-version: 6.2
import PackageDescription

/// Set to leave out everything that needs a package from outside: the pure modules, QMP and HostClock
/// build and test in seconds, which the sanitizer and coverage runs rely on.
let coreOnly = Context.environment["FERMATA_CORE"] != nil

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

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let core: [Target] = [
    .systemLibrary(name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
    .target(name: "CShims", cSettings: [.define("_GNU_SOURCE")]),
    module("JSON", ["CJSONC"]),
    module("Time"),
    module("PrometheusText"),
    module("QMP", ["JSON", "CShims", "Time"]),
    module("MigrationStream", ["JSON"]),
    module("GuestClock", ["MigrationStream", "Time"]),
    module("HostClock", ["CShims", "Time"]),
    module("HypervisorAPI", ["GuestClock", "Time"]),
    .target(name: "TestCommand", dependencies: ["CShims"], path: "Tests/Support/TestCommand", swiftSettings: settings),
    tests("JSON"),
    tests("Time"),
    tests("PrometheusText"),
    tests("QMP", ["JSON", "CShims", "Time"]),
    tests("MigrationStream", ["JSON", "TestCommand"]),
    tests("GuestClock", ["MigrationStream", "Time"]),
    tests("HostClock", ["CShims", "Time"]),
]

let product: [Target] = [
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    module("Archive", ["CArchive", .product(name: "Crypto", package: "swift-crypto")]),
    module(
        "Hypervisor",
        [
            "HypervisorAPI", "QMP", "MigrationStream", "GuestClock", "HostClock", "JSON", "Time", "CShims", logging,
            .product(name: "Crypto", package: "swift-crypto"),
        ]
    ),
    module(
        "PKI",
        [
            "Time", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "SwiftASN1", package: "swift-asn1"),
            .product(name: "X509", package: "swift-certificates"),
        ]
    ),
    module(
        "HypervisorRemote",
        [
            "HypervisorAPI", "GuestClock", "HostClock", "PKI", "Time", logging,
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]
    ),
    module("SerialText"),
    module(
        "Manifest",
        ["HypervisorAPI", "GuestClock", "SerialText", "Time", .product(name: "Yams", package: "Yams")]
    ),
    module("Batch", ["GuestClock", "HypervisorAPI", "Manifest", "SerialText", "Time"]),
    module("PostgreSQL"),
    module(
        "ControlInstance",
        [
            "Archive", "HypervisorAPI", "GuestClock", "HostClock", "PostgreSQL", "PrometheusText", "SerialText", "Time",
            logging,
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "GRDB", package: "GRDB.swift"),
        ]
    ),
    .target(name: "CConsoleAssets", exclude: ["web"]),
    module(
        "Console",
        [
            "Archive", "CConsoleAssets", "ControlInstance", "GuestClock", "HostClock", "HypervisorAPI",
            "HypervisorRemote", "Time", logging,
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]
    ),
    .executableTarget(
        name: "fermata",
        dependencies: [
            "Archive", "Batch", "Console", "ControlInstance", "Hypervisor", "HypervisorAPI", "HypervisorRemote",
            "HostClock",
            "Manifest", "MigrationStream", "PKI", "SerialText",
            "GuestClock", "QMP", "JSON", "Time", "CShims", logging,
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ],
        swiftSettings: settings
    ),
    // Few dependencies: a lab's own package builds it.
    module("FermataTesting", ["CShims"]),
    tests("Archive", ["CArchive"]),
    tests(
        "Hypervisor",
        ["HypervisorAPI", "QMP", "MigrationStream", "GuestClock", "HostClock", "JSON", "Time", logging]
    ),
    tests(
        "PKI",
        [
            "Time", .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "SwiftASN1", package: "swift-asn1"),
            .product(name: "X509", package: "swift-certificates"),
        ]
    ),
    .target(name: "RecordedLog", dependencies: [logging], path: "Tests/Support/RecordedLog", swiftSettings: settings),
    tests(
        "HypervisorRemote",
        [
            "HypervisorAPI", "HostClock", "PKI", "RecordedLog", "Time", logging,
            .product(name: "HummingbirdTesting", package: "hummingbird"),
        ]
    ),
    tests("SerialText"),
    tests("Manifest", ["HypervisorAPI", "Time"]),
    tests("Batch", ["GuestClock", "Manifest", "Time"]),
    .target(
        name: "DatabaseServer",
        dependencies: ["TestCommand"],
        path: "Tests/Support/DatabaseServer",
        swiftSettings: settings
    ),
    tests("PostgreSQL", ["DatabaseServer"]),
    tests(
        "ControlInstance",
        [
            "Archive", "DatabaseServer", "HypervisorAPI", "GuestClock", "HostClock", "PostgreSQL", "PrometheusText",
            "TestCommand", "Time",
        ]
    ),
    tests(
        "Console",
        [
            "Archive", "ControlInstance", "GuestClock", "HostClock", "HypervisorAPI", "HypervisorRemote", "PKI",
            "RecordedLog", "Time", logging,
            .product(name: "HummingbirdTesting", package: "hummingbird"), .product(name: "Yams", package: "Yams"),
        ]
    ),
    .testTarget(
        name: "IntegrationTests",
        dependencies: [
            "Archive", "ControlInstance", "Hypervisor", "HypervisorAPI", "HypervisorRemote", "PKI", "QMP",
            "MigrationStream",
            "GuestClock", "HostClock", "Manifest", "JSON", "Time", "CShims", logging,
        ],
        swiftSettings: settings
    ),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["DatabaseServer", "JSON", "Time", "CShims"],
        swiftSettings: settings
    ),
    tests("FermataTesting", ["CShims"]),
    // Run by FermataTestingTests, in processes of their own: tests that fail or are killed, and the guide's example.
    .testTarget(
        name: "FermataTestingScenes",
        dependencies: ["FermataTesting"],
        path: "Tests/Support/FermataTestingScenes",
        swiftSettings: settings
    ),
    .testTarget(
        name: "LabTests",
        dependencies: ["FermataTesting"],
        path: "docs/examples/swift-testing/Tests/LabTests",
        exclude: ["lab.yaml"],
        swiftSettings: settings
    ),
]

let package = Package(
    name: "fermata",
    products: coreOnly
        ? []
        : [
            .executable(name: "fermata", targets: ["fermata"]),
            .library(name: "FermataTesting", targets: ["FermataTesting"]),
        ],
    dependencies: coreOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
            .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
            .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
            .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
            .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
            .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
            .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        ],
    targets: coreOnly ? core : core + product
)
