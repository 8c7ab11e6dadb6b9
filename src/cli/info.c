#include "cli/commands.h"

#include <stdio.h>

#include "cli/help.h"
#include "cli/schema.h"
#include "util/log.h"
#include "util/text.h"

CfExit
cf_command_profiles(const CfArgs *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfConfig) config =
        cf_config_load(args->config, cf_schemas_get(), args->options, &error);
    GPtrArray *profiles;

    if (!config)
        return cf_exit_tell(error);
    profiles = cf_config_get_profiles(config);
    for (guint i = 0; i < profiles->len; i++) {
        CfProfile *profile = g_ptr_array_index(profiles, i);
        g_autofree char *address = cf_log_redact(cf_profile_get_address(profile));
        g_autoptr(GString) line = g_string_new(NULL);

        cf_text_append_tsv(line, cf_profile_get_name(profile));
        g_string_append_c(line, '\t');
        cf_text_append_tsv(line, cf_profile_get_provider(profile));
        g_string_append_c(line, '\t');
        cf_text_append_tsv(line, address);
        puts(line->str);
    }
    return CF_EXIT_OK;
}

CfExit
cf_command_version(const CfArgs *args)
{
    printf("cirrusfs " CF_VERSION "\n"
           "built with libfuse " CF_FUSE_VERSION ", libcurl " CF_CURL_VERSION
           ", GLib " CF_GLIB_VERSION "\n"
           "MIT license\n");
    return CF_EXIT_OK;
}

CfExit
cf_command_help(const CfArgs *args)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        args->options_tsv ? cf_help_table() : cf_help_topic(args->topic, &error);

    if (!text) {
        cf_say("%s", error->message);
        return CF_EXIT_USAGE;
    }
    fputs(text, stdout);
    return CF_EXIT_OK;
}
