/* The simulated clouds: a small HTTP server on the loopback that speaks as a cloud does. */
#pragma once

#include <glib.h>

#include "util/error.h"

G_BEGIN_DECLS

typedef struct _CfSim CfSim;

/* Everything is borrowed until cf_sim_new() returns. A member that is NULL or 0 takes the default
 * that stands beside it. */
typedef struct {
    const char *dialect;   /* "inspur" */
    const char *address;   /* 127.0.0.1; only loopback addresses are accepted */
    guint port;            /* 0: any free one */
    guint servers, images; /* size of the generated world; see cf_sim_options_init() */
    guint64 seed;          /* the same seed makes the same world */
    guint latency_ms;      /* added to every answer; requests wait side by side */
    guint transition_ms;   /* how long starting, stopping, rebooting, making an image take */
    gboolean hostile;      /* names, ids and fields that try to break the reader */
    gboolean demo;         /* a small believable world instead of the generated one */
    const char *token;     /* (nullable): a bearer token that never expires */
    const char *username, *password;       /* (nullable): for the token calls */
    const char *client_id, *client_secret; /* (nullable): for the token calls */
    const char *access_key, *secret_key;   /* (nullable): for signed requests */
    guint token_life_s;                    /* 5400 */
    guint max_page;                        /* a page size above it is cut; 0: no limit */
    guint api_version; /* 0: the newest; a dialect may know older ones, from 1 on */
    gboolean no_auth;  /* accept every request; also so without credentials */
} CfSimOptions;

/* Fills in the defaults: 100 servers, 12 images, transitions of 3 s. */
void cf_sim_options_init(CfSimOptions *options);

/* Makes the world and serves it from threads of its own.
 * Returns: (transfer full): serves until cf_sim_free().
 * Errors: CF_ERROR_CONFIG (unknown dialect, address outside the loopback), CF_ERROR_NO_CONNECT
 * (cannot listen). Thread: any. */
CfSim *cf_sim_new(const CfSimOptions *options, GError **error);

/* Returns: (transfer none): "http://127.0.0.1:PORT", without a slash at its end. Thread: any. */
const char *cf_sim_get_url(CfSim *sim);

/* Lets hanging and delayed requests go without an answer, stops the threads, frees the world.
 * sim: (nullable). Thread: any but the simulator's own. */
void cf_sim_free(CfSim *sim);

/* `cirrusfs simulate …`; argv[0] is the name shown in the help. Prints the URL as the first line
 * on stdout and serves until SIGTERM or SIGINT.
 * Returns: the exit status: 0, 1 (cannot serve), 2 (usage). Thread: the main one. */
int cf_sim_main(int argc, char **argv);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfSim, cf_sim_free)

G_END_DECLS
