// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "lab",
    dependencies: [
        // Elsewhere: .package(url: "…", from: "0.1.0")
        .package(name: "fermata", path: "../../..")
    ],
    targets: [
        .testTarget(
            name: "LabTests",
            dependencies: [.product(name: "FermataTesting", package: "fermata")],
            exclude: ["lab.yaml"]
        )
    ]
)
