// Made by tools/embed-web.py; after adding or removing a file of web/, run it again.
#include "CConsoleAssets.h"

// In C since C23, and in clang for every C since 19.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_0[] = {
#embed "web/assets/actions.js"
};

static const unsigned char file_1[] = {
#embed "web/assets/announce.js"
};

static const unsigned char file_2[] = {
#embed "web/assets/api.js"
};

static const unsigned char file_3[] = {
#embed "web/assets/backoff.js"
};

static const unsigned char file_4[] = {
#embed "web/assets/base.css"
};

static const unsigned char file_5[] = {
#embed "web/assets/base64.js"
};

static const unsigned char file_6[] = {
#embed "web/assets/bytes.js"
};

static const unsigned char file_7[] = {
#embed "web/assets/components.css"
};

static const unsigned char file_8[] = {
#embed "web/assets/dialog.js"
};

static const unsigned char file_9[] = {
#embed "web/assets/dom.js"
};

static const unsigned char file_10[] = {
#embed "web/assets/feed.js"
};

static const unsigned char file_11[] = {
#embed "web/assets/fermata.svg"
};

static const unsigned char file_12[] = {
#embed "web/assets/fields.js"
};

static const unsigned char file_13[] = {
#embed "web/assets/guest-clocks.js"
};

static const unsigned char file_14[] = {
#embed "web/assets/host-clock.js"
};

static const unsigned char file_15[] = {
#embed "web/assets/icons.js"
};

static const unsigned char file_16[] = {
#embed "web/assets/json.js"
};

static const unsigned char file_17[] = {
#embed "web/assets/labels.js"
};

static const unsigned char file_18[] = {
#embed "web/assets/layout.css"
};

static const unsigned char file_19[] = {
#embed "web/assets/main.js"
};

static const unsigned char file_20[] = {
#embed "web/assets/notices.js"
};

static const unsigned char file_21[] = {
#embed "web/assets/operate.js"
};

static const unsigned char file_22[] = {
#embed "web/assets/operation-pages.js"
};

static const unsigned char file_23[] = {
#embed "web/assets/operations.js"
};

static const unsigned char file_24[] = {
#embed "web/assets/pages/checkpoint.js"
};

static const unsigned char file_25[] = {
#embed "web/assets/pages/consoles.js"
};

static const unsigned char file_26[] = {
#embed "web/assets/pages/history.js"
};

static const unsigned char file_27[] = {
#embed "web/assets/pages/hosts.js"
};

static const unsigned char file_28[] = {
#embed "web/assets/pages/operation.js"
};

static const unsigned char file_29[] = {
#embed "web/assets/pages/simulation.js"
};

static const unsigned char file_30[] = {
#embed "web/assets/pages/simulations.js"
};

static const unsigned char file_31[] = {
#embed "web/assets/plan-view.js"
};

static const unsigned char file_32[] = {
#embed "web/assets/plots.css"
};

static const unsigned char file_33[] = {
#embed "web/assets/progress.js"
};

static const unsigned char file_34[] = {
#embed "web/assets/report-view.js"
};

static const unsigned char file_35[] = {
#embed "web/assets/router.js"
};

static const unsigned char file_36[] = {
#embed "web/assets/session.js"
};

static const unsigned char file_37[] = {
#embed "web/assets/spread-plot.js"
};

static const unsigned char file_38[] = {
#embed "web/assets/sse.js"
};

static const unsigned char file_39[] = {
#embed "web/assets/terminal-screen.js"
};

static const unsigned char file_40[] = {
#embed "web/assets/terminal.js"
};

static const unsigned char file_41[] = {
#embed "web/assets/theme.js"
};

static const unsigned char file_42[] = {
#embed "web/assets/ticker.js"
};

static const unsigned char file_43[] = {
#embed "web/assets/time.js"
};

static const unsigned char file_44[] = {
#embed "web/assets/timeline-model.js"
};

static const unsigned char file_45[] = {
#embed "web/assets/timeline.js"
};

static const unsigned char file_46[] = {
#embed "web/assets/view.js"
};

static const unsigned char file_47[] = {
#embed "web/assets/words.js"
};

static const unsigned char file_48[] = {
#embed "web/assets/zoom.js"
};

static const unsigned char file_49[] = {
#embed "web/index.html"
};

static const fermata_asset assets[] = {
    {"assets/actions.js", file_0, sizeof file_0},
    {"assets/announce.js", file_1, sizeof file_1},
    {"assets/api.js", file_2, sizeof file_2},
    {"assets/backoff.js", file_3, sizeof file_3},
    {"assets/base.css", file_4, sizeof file_4},
    {"assets/base64.js", file_5, sizeof file_5},
    {"assets/bytes.js", file_6, sizeof file_6},
    {"assets/components.css", file_7, sizeof file_7},
    {"assets/dialog.js", file_8, sizeof file_8},
    {"assets/dom.js", file_9, sizeof file_9},
    {"assets/feed.js", file_10, sizeof file_10},
    {"assets/fermata.svg", file_11, sizeof file_11},
    {"assets/fields.js", file_12, sizeof file_12},
    {"assets/guest-clocks.js", file_13, sizeof file_13},
    {"assets/host-clock.js", file_14, sizeof file_14},
    {"assets/icons.js", file_15, sizeof file_15},
    {"assets/json.js", file_16, sizeof file_16},
    {"assets/labels.js", file_17, sizeof file_17},
    {"assets/layout.css", file_18, sizeof file_18},
    {"assets/main.js", file_19, sizeof file_19},
    {"assets/notices.js", file_20, sizeof file_20},
    {"assets/operate.js", file_21, sizeof file_21},
    {"assets/operation-pages.js", file_22, sizeof file_22},
    {"assets/operations.js", file_23, sizeof file_23},
    {"assets/pages/checkpoint.js", file_24, sizeof file_24},
    {"assets/pages/consoles.js", file_25, sizeof file_25},
    {"assets/pages/history.js", file_26, sizeof file_26},
    {"assets/pages/hosts.js", file_27, sizeof file_27},
    {"assets/pages/operation.js", file_28, sizeof file_28},
    {"assets/pages/simulation.js", file_29, sizeof file_29},
    {"assets/pages/simulations.js", file_30, sizeof file_30},
    {"assets/plan-view.js", file_31, sizeof file_31},
    {"assets/plots.css", file_32, sizeof file_32},
    {"assets/progress.js", file_33, sizeof file_33},
    {"assets/report-view.js", file_34, sizeof file_34},
    {"assets/router.js", file_35, sizeof file_35},
    {"assets/session.js", file_36, sizeof file_36},
    {"assets/spread-plot.js", file_37, sizeof file_37},
    {"assets/sse.js", file_38, sizeof file_38},
    {"assets/terminal-screen.js", file_39, sizeof file_39},
    {"assets/terminal.js", file_40, sizeof file_40},
    {"assets/theme.js", file_41, sizeof file_41},
    {"assets/ticker.js", file_42, sizeof file_42},
    {"assets/time.js", file_43, sizeof file_43},
    {"assets/timeline-model.js", file_44, sizeof file_44},
    {"assets/timeline.js", file_45, sizeof file_45},
    {"assets/view.js", file_46, sizeof file_46},
    {"assets/words.js", file_47, sizeof file_47},
    {"assets/zoom.js", file_48, sizeof file_48},
    {"index.html", file_49, sizeof file_49},
};

size_t fermata_asset_count(void) { return sizeof assets / sizeof *assets; }

const fermata_asset *fermata_asset_at(size_t index) {
    return index < fermata_asset_count() ? &assets[index] : NULL;
}
