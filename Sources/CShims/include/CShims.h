#ifndef CSHIMS_H
#define CSHIMS_H
#include "counter.h"
#include "descriptors.h"
#include "process.h"
#include "realtime.h"
#include "signals.h"
#include "volume.h"
#endif
