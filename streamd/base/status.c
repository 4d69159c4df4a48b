#include "streamd/base/status.h"

#include <stdarg.h>
#include <stdio.h>

enum status fail(struct error *err, enum status status, const char *format, ...)
{
    if (err == NULL)
        return status;

    va_list args;
    va_start(args, format);
    err->status = status;
    (void)vsnprintf(err->detail, sizeof err->detail, format, args);
    va_end(args);
    return status;
}

const char *status_text(enum status status)
{
#define STATUS_TEXT(code, text)                                                \
    case code:                                                                 \
        return text;
    switch (status) {
        STATUS_MAP(STATUS_TEXT)
    }
#undef STATUS_TEXT
    return "unknown status";
}
