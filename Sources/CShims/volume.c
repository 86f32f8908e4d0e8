#include "volume.h"

#include <linux/magic.h>
#include <sys/vfs.h>

int fermata_is_in_memory(const char *path) {
    struct statfs volume;
    return statfs(path, &volume) == 0 && volume.f_type == TMPFS_MAGIC;
}
