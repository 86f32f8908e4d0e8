import Testing

/// The main job on real QEMU, told by the guests. One machine after another: these tests need the processor.
@Suite("The main job", .serialized, .enabled(if: LabManifest.usable))
struct MainJobTests {}
