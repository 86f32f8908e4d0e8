/// lseek(2) for files with holes: GNU's names do not reach Swift.
enum FileHoles {
    /// SEEK_DATA of linux/fs.h.
    static let seekData: Int32 = 3
    /// SEEK_HOLE of linux/fs.h.
    static let seekHole: Int32 = 4
}
