// Made by tools/embed-web.py; after adding or removing a file of web/, run it again.
#include "CConsoleAssets.h"

// In C since C23, and in clang for every C since 19.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_0[] = {
#embed "web/index.html"
};

static const fermata_asset assets[] = {
    {"index.html", file_0, sizeof file_0},
};

size_t fermata_asset_count(void) { return sizeof assets / sizeof *assets; }

const fermata_asset *fermata_asset_at(size_t index) {
    return index < fermata_asset_count() ? &assets[index] : NULL;
}
