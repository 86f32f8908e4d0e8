#ifndef FERMATA_VOLUME_H
#define FERMATA_VOLUME_H

/// Whether `path` lies on a tmpfs, whose files are memory: 1, or 0 also when it cannot be told.
int fermata_is_in_memory(const char *path);

#endif
