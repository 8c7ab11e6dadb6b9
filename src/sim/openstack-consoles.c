/* Consoles: where a screen is to be seen, and what was written on it. */
#include <string.h>

#include "sim/openstack.h"

#define REMOTE_CONSOLES 6

static const struct {
    const char *protocol, *type, *action; /* action: before there were remote-consoles */
} consoles[] = {
    {"vnc", "novnc", "os-getVNCConsole"},
    {"spice", "spice-html5", "os-getSPICEConsole"},
    {"serial", "serial", "os-getSerialConsole"},
};

static const char *const unavailable[] = {"rdp", "mks"};

/* A new one each time. Returns: (transfer full) */
static char *
make_url(CfSim *sim, const CfSimCall *call, guint console)
{
    guint64 token = cf_sim_mix(sim->options.seed ^ 0x766e63, call->number);

    switch (console) {
    case 0:
        return g_strdup_printf("%s/vnc_auto.html?path=%%3Ftoken%%3D%016" G_GINT64_MODIFIER "x",
                               sim->url, token);
    case 1:
        return g_strdup_printf("%s/spice_auto.html?token=%016" G_GINT64_MODIFIER "x", sim->url,
                               token);
    default:
        return g_strdup_printf("ws://127.0.0.1:6083/?token=%016" G_GINT64_MODIFIER "x", token);
    }
}

void
cf_sim_os_remote_console(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = NULL;
    cJSON *argument = cf_sim_os_argument(call, "remote_console");
    const char *protocol =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(argument, "protocol"));
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(argument, "type"));
    guint i = 0;

    if (cf_sim_os_version(sim) < REMOTE_CONSOLES)
        cf_sim_os_refuse(sim, call, 404, NULL, "The resource could not be found.");
    else
        server = cf_sim_os_find_server(sim, call);
    while (i < G_N_ELEMENTS(consoles) && (g_strcmp0(consoles[i].protocol, protocol) != 0 ||
                                          g_strcmp0(consoles[i].type, type) != 0))
        i++;
    if (server && i < G_N_ELEMENTS(consoles)) {
        g_autofree char *url = make_url(sim, call, i);

        if (cf_sim_os_check_host(sim, call, server))
            cf_sim_answer_printf(call, 200,
                                 "{\"remote_console\":{\"protocol\":\"%s\",\"type\":\"%s\","
                                 "\"url\":\"%s\"}}",
                                 protocol, type, url);
    } else if (server) {
        gboolean absent = protocol && (strcmp(protocol, unavailable[0]) == 0 ||
                                       strcmp(protocol, unavailable[1]) == 0);

        cf_sim_os_refuse_printf(sim, call, 400, "%s console type %s",
                                absent ? "Unavailable" : "Invalid", type ? type : "");
    }
    cJSON_Delete(argument);
}

void
cf_sim_os_old_console(CfSim *sim, CfSimCall *call)
{
    const char *key = call->route->name + strlen("server.action.");
    const CfSimRecord *server = NULL;
    cJSON *argument = cf_sim_os_argument(call, key);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(argument, "type"));

    if (cf_sim_os_version(sim) >= REMOTE_CONSOLES)
        cf_sim_os_refuse(sim, call, 404, NULL, "The resource could not be found.");
    else
        server = cf_sim_os_find_server(sim, call);
    for (guint i = 0; server && i < G_N_ELEMENTS(consoles); i++) {
        g_autofree char *url = NULL;

        if (strcmp(consoles[i].action, key) != 0)
            continue;
        if (g_strcmp0(consoles[i].type, type) != 0) {
            cf_sim_os_refuse_printf(sim, call, 400, "Invalid console type %s", type ? type : "");
        } else if (cf_sim_os_check_host(sim, call, server)) {
            url = make_url(sim, call, i);
            cf_sim_answer_printf(call, 200, "{\"console\":{\"type\":\"%s\",\"url\":\"%s\"}}", type,
                                 url);
        }
    }
    cJSON_Delete(argument);
}

/* The log of a server: as many lines as are set, or its last ones. */
void
cf_sim_os_console_output(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = cf_sim_os_find_server(sim, call);
    cJSON *argument = cf_sim_os_argument(call, "os-getConsoleOutput");
    const cJSON *length = cJSON_GetObjectItemCaseSensitive(argument, "length");
    guint lines = sim->settings.console_lines, first = 0;
    g_autofree char *name = server ? cf_sim_os_get(server, "name") : NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (cJSON_IsNumber(length) && length->valuedouble >= 0 && length->valuedouble < lines)
        first = lines - (guint) length->valuedouble;
    cJSON_Delete(argument);
    if (!server || !cf_sim_os_check_host(sim, call, server))
        return;
    for (guint i = first; i < lines; i++)
        g_string_append_printf(text, "%s[%5u.%06u] %s: line %u of the console",
                               i > first ? "\n" : "", i / 10, i % 10 * 100000, name ? name : "?",
                               i + 1);
    cf_sim_answer(call, 200, "{\"output\":");
    cf_sim_raw_quote(call->answer, text->str);
    g_string_append_c(call->answer, '}');
}
