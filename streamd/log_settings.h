/* log_settings.h - the options of the log, out of those of the process. */
#ifndef STREAMD_LOG_SETTINGS_H
#define STREAMD_LOG_SETTINGS_H

#include "streamd/base/log.h"
#include "streamd/options.h"

/* The strings are those of options. */
struct log_options log_settings(const struct options *options);

#endif
