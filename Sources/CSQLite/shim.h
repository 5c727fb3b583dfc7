#pragma once
#include <sqlite3.h>

// What Swift cannot import from sqlite3.h: casts to function pointers, variadic functions, computed constants.
static inline sqlite3_destructor_type pgb_sqlite_transient(void) { return SQLITE_TRANSIENT; }
static inline sqlite3_destructor_type pgb_sqlite_static(void) { return SQLITE_STATIC; }
static const int PGB_SQLITE_FULLFSYNC_RESULT = SQLITE_IOERR_FSYNC;

// Closing then leaves the write-ahead log as it is: a damaged directory is not touched.
static inline int pgb_sqlite_no_checkpoint_on_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
