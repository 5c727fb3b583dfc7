// Facts about the machine that Glibc's module does not show.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

int pgb_clock_synchronised(void);  // 1 or 0 as the kernel says; -1 when it does not say

#define PGB_CAP_IPC_LOCK 14
#define PGB_CAP_SYS_NICE 23

#ifdef __cplusplus
}
#endif
