#pragma once
#include <archive.h>
#include <archive_entry.h>

// Macros with casts and variadic functions are not imported by Swift.
static const unsigned int pgb_entry_regular = AE_IFREG;

// For callbacks: says why they fail. `text` is copied.
static inline void pgb_archive_fail(struct archive *archive, int number, const char *text) {
    archive_set_error(archive, number, "%s", text);
}
