/* page_files.h - the table that page/embed.cmake writes; for page.c alone. */
#ifndef MONITOR_PAGE_FILES_H
#define MONITOR_PAGE_FILES_H

#include "streamd/base/buffer.h"

/* All of it is static. */
struct page_file {
    const char *path; /* of the request: "/streaming/ui/..." */
    const char *content_type;
    const char *etag; /* quoted, of the contents */
    struct bytes body;
};

extern const struct page_file page_files[];
extern const size_t page_files_count;

#endif
