#ifndef CSHIMS_COUNTER_H
#define CSHIMS_COUNTER_H

#include <stdint.h>

/// The processor's counter that QEMU takes for host ticks (x86: TSC, arm64: virtual count); 0 where there is none.
uint64_t fermata_host_counter(void);

#endif
