#ifndef FERMATA_CONSOLE_ASSETS_H
#define FERMATA_CONSOLE_ASSETS_H

#include <stddef.h>

/// A file of the web console, in the program's own image.
typedef struct {
    /// Below web/, with slashes: "index.html", "js/app.js".
    const char *name;
    const unsigned char *bytes;
    size_t size;
} fermata_asset;

size_t fermata_asset_count(void);

/// NULL: there are not so many.
const fermata_asset *fermata_asset_at(size_t index);

#endif
