#include "streamd/log_settings.h"

#include <string.h>

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

struct log_options log_settings(const struct options *options)
{
    return (struct log_options){
        .file = or_null(options->log_file),
        .remote = or_null(options->remote_syslog),
        .syslog = options->syslog,
        .syslog_tag = or_null(options->syslog_name),
        .size_limit = options->log_size_limit,
        .json = strcmp(options->log_format, "json") == 0,
        .time = options->log_time,
        .utc = options->log_time_utc,
        .debug = options->streaming_debug,
        .trace = options->streaming_trace,
    };
}
