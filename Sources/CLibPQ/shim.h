#pragma once
#include <libpq-fe.h>
#include <stddef.h>

// Character macros are not imported into Swift.
static const int PGB_DIAG_SQLSTATE = PG_DIAG_SQLSTATE;
static const int PGB_DIAG_MESSAGE_PRIMARY = PG_DIAG_MESSAGE_PRIMARY;

// libpq prints notices on standard error unless a processor is set.
static void pgb_ignore_notice(void *argument, const char *message) {
    (void)argument;
    (void)message;
}
static inline void pgb_ignore_notices(PGconn *connection) {
    PQsetNoticeProcessor(connection, pgb_ignore_notice, NULL);
}
