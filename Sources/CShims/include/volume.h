#ifndef FERMATA_VOLUME_H
#define FERMATA_VOLUME_H

enum fermata_volume {
    FERMATA_VOLUME_OTHER = 0,
    /// tmpfs: files are memory.
    FERMATA_VOLUME_MEMORY,
    /// hugetlbfs: files are memory in huge pages, and can be mapped and read but not written.
    FERMATA_VOLUME_HUGE_PAGES,
};

/// What kind of file system `path` lies on; FERMATA_VOLUME_OTHER also when it cannot be told.
enum fermata_volume fermata_volume_of(const char *path);

#endif
