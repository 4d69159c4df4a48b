# What the process consists of apart from main and server: a library, so that
# its unit tests need not build the executable.
add_library(streamd_process STATIC access.c banner.c harden.c help.c log_settings.c nats_config.c notify.c
                                   options.c options_apply.c
                                   options_check.c options_file.c
                                   options_keys.c options_table.c
                                   options_value.c pid_file.c
                                   ports_file.c progress.c supervisor.c
                                   signal_command.c signals.c)
target_include_directories(streamd_process PUBLIC ${PROJECT_SOURCE_DIR})
target_compile_definitions(
  streamd_process
  PUBLIC STREAMD_VERSION="${PROJECT_VERSION}"
         STREAMD_COMPATIBLE_VERSION="${STREAMD_COMPATIBLE_VERSION}")
target_link_libraries(streamd_process PUBLIC store conf base)
