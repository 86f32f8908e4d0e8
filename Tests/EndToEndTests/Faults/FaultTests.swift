import Testing

/// Everything that can break underneath the program, broken on real QEMU. After each: a clear error, no machine left paused, no
/// checkpoint lost. One after the other, since all of them are about timing.
@Suite(.serialized) enum FaultTests {}
