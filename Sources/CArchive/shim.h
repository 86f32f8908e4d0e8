/* libarchive includes sys/stat.h and needs nothing of it; this module must not be a second one that declares what the C library's does. */
#include <sys/types.h>
#define _SYS_STAT_H 1
struct stat;
#include <archive.h>
#include <archive_entry.h>
