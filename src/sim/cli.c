/* `cirrusfs simulate`: options, the URL on stdout, serving until told to stop. */
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/sim.h"

#define EXIT_USAGE 2

typedef struct {
    char *dialect, *address, *token, *username, *password, *client_id, *client_secret;
    char *access_key, *secret_key, *port_file;
    gint port, servers, images, latency, transition, token_life, max_page, api_version;
    gint64 seed;
    gboolean hostile, demo, no_auth, parent_watch;
} Arguments;

static void
arguments_clear(Arguments *arguments)
{
    char **texts[] = {&arguments->dialect,       &arguments->address,    &arguments->token,
                      &arguments->username,      &arguments->password,   &arguments->client_id,
                      &arguments->client_secret, &arguments->access_key, &arguments->secret_key,
                      &arguments->port_file};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(*texts[i]);
}

static gboolean
parse(Arguments *to, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"dialect", 0, 0, G_OPTION_ARG_STRING, &to->dialect,
         "The cloud to play: inspur, openstack, qingcloud, ucloudstack", "NAME"},
        {"address", 0, 0, G_OPTION_ARG_STRING, &to->address, "Loopback address", "ADDRESS"},
        {"port", 0, 0, G_OPTION_ARG_INT, &to->port, "Port; 0 takes any free one", "N"},
        {"servers", 0, 0, G_OPTION_ARG_INT, &to->servers, "How many servers there are", "N"},
        {"images", 0, 0, G_OPTION_ARG_INT, &to->images, "How many images there are", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &to->seed, "The same seed makes the same world", "N"},
        {"latency", 0, 0, G_OPTION_ARG_INT, &to->latency, "Delay of every answer", "MS"},
        {"transition", 0, 0, G_OPTION_ARG_INT, &to->transition, "How long an action takes", "MS"},
        {"hostile", 0, 0, G_OPTION_ARG_NONE, &to->hostile, "Names and fields that do harm", NULL},
        {"demo", 0, 0, G_OPTION_ARG_NONE, &to->demo, "A small believable world", NULL},
        {"token", 0, 0, G_OPTION_ARG_STRING, &to->token, "Bearer token to accept", "TOKEN"},
        {"username", 0, 0, G_OPTION_ARG_STRING, &to->username, "User of the token calls", "NAME"},
        {"password", 0, 0, G_OPTION_ARG_STRING, &to->password, "His password", "TEXT"},
        {"client-id", 0, 0, G_OPTION_ARG_STRING, &to->client_id, "OpenID client", "ID"},
        {"client-secret", 0, 0, G_OPTION_ARG_STRING, &to->client_secret, "Its secret", "TEXT"},
        {"access-key", 0, 0, G_OPTION_ARG_STRING, &to->access_key, "Key of signed requests", "ID"},
        {"secret-key", 0, 0, G_OPTION_ARG_STRING, &to->secret_key, "Its secret", "TEXT"},
        {"token-life", 0, 0, G_OPTION_ARG_INT, &to->token_life, "How long tokens last", "S"},
        {"max-page", 0, 0, G_OPTION_ARG_INT, &to->max_page, "Largest page", "N"},
        {"api-version", 0, 0, G_OPTION_ARG_INT, &to->api_version,
         "Version of the API; 0: the newest", "N"},
        {"no-auth", 0, 0, G_OPTION_ARG_NONE, &to->no_auth, "Accept every request", NULL},
        {"port-file", 0, 0, G_OPTION_ARG_FILENAME, &to->port_file, "Write the URL there", "FILE"},
        {"parent-watch", 0, 0, G_OPTION_ARG_NONE, &to->parent_watch, "Stop when stdin closes",
         NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- a simulated cloud on loopback");

    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_description(
        context, "Without any credential every request is accepted. Secrets may also come from\n"
                 "CIRRUSFS_SIM_TOKEN, CIRRUSFS_SIM_PASSWORD, CIRRUSFS_SIM_CLIENT_SECRET and\n"
                 "CIRRUSFS_SIM_SECRET_KEY.\n");
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc > 1) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "unexpected argument: %s", (*argv)[1]);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_numbers(const Arguments *arguments, GError **error)
{
    const struct {
        const char *name;
        gint value, max;
    } numbers[] = {
        {"port", arguments->port, 65535},
        {"servers", arguments->servers, 10000000},
        {"images", arguments->images, 10000000},
        {"latency", arguments->latency, G_MAXINT},
        {"transition", arguments->transition, G_MAXINT},
        {"token-life", arguments->token_life, G_MAXINT},
        {"max-page", arguments->max_page, G_MAXINT},
        {"api-version", arguments->api_version, G_MAXINT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i].value >= 0 && numbers[i].value <= numbers[i].max)
            continue;
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "--%s must be from 0 to %d", numbers[i].name,
                    numbers[i].max);
        return FALSE;
    }
    return TRUE;
}

/* The option's text, or what the environment says. */
static const char *
secret(const char *option, const char *variable)
{
    return option ? option : g_getenv(variable);
}

static void
fill_options(CfSimOptions *options, const Arguments *from)
{
    cf_sim_options_init(options);
    if (from->dialect)
        options->dialect = from->dialect;
    if (from->address)
        options->address = from->address;
    options->port = (guint) from->port;
    options->servers = (guint) from->servers;
    options->images = (guint) from->images;
    options->seed = (guint64) from->seed;
    options->latency_ms = (guint) from->latency;
    options->transition_ms = (guint) from->transition;
    options->token_life_s = (guint) from->token_life;
    options->max_page = (guint) from->max_page;
    options->api_version = (guint) from->api_version;
    options->hostile = from->hostile;
    options->demo = from->demo;
    options->no_auth = from->no_auth;
    options->username = from->username;
    options->client_id = from->client_id;
    options->access_key = from->access_key;
    options->token = secret(from->token, "CIRRUSFS_SIM_TOKEN");
    options->password = secret(from->password, "CIRRUSFS_SIM_PASSWORD");
    options->client_secret = secret(from->client_secret, "CIRRUSFS_SIM_CLIENT_SECRET");
    options->secret_key = secret(from->secret_key, "CIRRUSFS_SIM_SECRET_KEY");
}

static gboolean
quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static gboolean
stdin_changed(gint fd, GIOCondition condition, gpointer loop)
{
    char buffer[256];
    ssize_t n = read(fd, buffer, sizeof buffer);

    if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void
serve(gboolean parent_watch)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    guint sources[3] = {g_unix_signal_add(SIGTERM, quit, loop),
                        g_unix_signal_add(SIGINT, quit, loop), 0};

    if (parent_watch)
        sources[2] =
            g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, stdin_changed, loop);
    g_main_loop_run(loop);
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
        GSource *source = sources[i] ? g_main_context_find_source_by_id(NULL, sources[i]) : NULL;

        if (source)
            g_source_destroy(source);
    }
}

static int
fail(const char *name, const GError *error, int status)
{
    fprintf(stderr, "%s: %s\n", name, error->message);
    return status;
}

static int
run(const char *name, const Arguments *arguments)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfSim) sim = NULL;
    CfSimOptions options;

    if (!check_numbers(arguments, &error))
        return fail(name, error, EXIT_USAGE);
    fill_options(&options, arguments);
    sim = cf_sim_new(&options, &error);
    if (!sim)
        return fail(name, error,
                    g_error_matches(error, CF_ERROR, CF_ERROR_CONFIG) ? EXIT_USAGE : 1);
    if (arguments->port_file) {
        g_autofree char *line = g_strdup_printf("%s\n", cf_sim_get_url(sim));

        if (!g_file_set_contents(arguments->port_file, line, -1, &error))
            return fail(name, error, 1);
    }
    printf("%s\n", cf_sim_get_url(sim));
    fflush(stdout);
    serve(arguments->parent_watch);
    return 0;
}

int
cf_sim_main(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "simulate";
    g_autoptr(GError) error = NULL;
    Arguments arguments = {0};
    CfSimOptions defaults;
    int status;

    cf_sim_options_init(&defaults);
    arguments.servers = (gint) defaults.servers;
    arguments.images = (gint) defaults.images;
    arguments.seed = (gint64) defaults.seed;
    arguments.transition = (gint) defaults.transition_ms;
    arguments.token_life = (gint) defaults.token_life_s;
    if (parse(&arguments, &argc, &argv, &error))
        status = run(name, &arguments);
    else
        status = fail(name, error, EXIT_USAGE);
    arguments_clear(&arguments);
    return status;
}
