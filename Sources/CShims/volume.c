#include "volume.h"

#include <linux/magic.h>
#include <sys/vfs.h>

enum fermata_volume fermata_volume_of(const char *path) {
    struct statfs volume;
    if (statfs(path, &volume) != 0) return FERMATA_VOLUME_OTHER;
    switch (volume.f_type) {
    case TMPFS_MAGIC: return FERMATA_VOLUME_MEMORY;
    case HUGETLBFS_MAGIC: return FERMATA_VOLUME_HUGE_PAGES;
    default: return FERMATA_VOLUME_OTHER;
    }
}
