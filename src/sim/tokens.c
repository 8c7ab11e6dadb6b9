/* Bearer tokens: who has one, and until when. They mean nothing and can be guessed: what they
 * protect does not exist. */
#include <string.h>

#include "sim/private.h"

struct _CfSimTokens {
    GHashTable *access;  /* token to gint64, the time on the world's clock when it ends */
    GHashTable *refresh; /* likewise */
    GHashTable *randoms; /* set of texts that signed requests have used */
    guint64 issued;
};

CfSimTokens *
cf_sim_tokens_new(void)
{
    CfSimTokens *tokens = g_new0(CfSimTokens, 1);

    tokens->access = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    tokens->refresh = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    tokens->randoms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return tokens;
}

void
cf_sim_tokens_free(CfSimTokens *tokens)
{
    g_hash_table_unref(tokens->access);
    g_hash_table_unref(tokens->refresh);
    g_hash_table_unref(tokens->randoms);
    g_free(tokens);
}

static gboolean
is_valid(CfSim *sim, GHashTable *table, const char *token)
{
    const gint64 *until = g_hash_table_lookup(table, token);

    return until && *until > cf_sim_world_now_us(sim->world);
}

gboolean
cf_sim_tokens_good(CfSim *sim, const CfSimCall *call)
{
    const char *text = cf_sim_call_header(call, "Authorization");

    if (!text || g_ascii_strncasecmp(text, "Bearer ", 7) != 0)
        return FALSE;
    text += 7;
    return g_strcmp0(text, sim->options.token) == 0 || is_valid(sim, sim->tokens->access, text);
}

/* Returns: (transfer none): a new token, valid for life_s. */
static const char *
make_token(CfSim *sim, GHashTable *table, const char *kind, guint life_s)
{
    guint64 n = sim->tokens->issued++;
    char *token =
        g_strdup_printf("sim%s.%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", kind,
                        cf_sim_mix(sim->options.seed, n), cf_sim_mix(n, sim->options.seed));
    gint64 *until = g_new(gint64, 1);

    *until = cf_sim_world_now_us(sim->world) + (gint64) life_s * G_USEC_PER_SEC;
    g_hash_table_insert(table, token, until);
    return token;
}

const char *
cf_sim_tokens_make(CfSim *sim, guint life_s)
{
    return make_token(sim, sim->tokens->access, "access", life_s);
}

gboolean
cf_sim_tokens_valid(CfSim *sim, const char *token)
{
    return is_valid(sim, sim->tokens->access, token);
}

void
cf_sim_tokens_issue(CfSim *sim, CfSimCall *call)
{
    guint life_s = sim->options.token_life_s;
    guint refresh_s = life_s + life_s / 3;
    const char *access = make_token(sim, sim->tokens->access, "access", life_s);
    const char *refresh = make_token(sim, sim->tokens->refresh, "refresh", refresh_s);

    cf_sim_answer_printf(call, 200,
                         "{\"access_token\":\"%s\",\"expires_in\":%u,\"refresh_expires_in\":%u,"
                         "\"refresh_token\":\"%s\",\"token_type\":\"bearer\","
                         "\"not-before-policy\":0,\"session_state\":\"%016" G_GINT64_MODIFIER
                         "x\",\"scope\":\"openid\"}",
                         access, life_s, refresh_s, refresh, cf_sim_mix(7, sim->tokens->issued));
}

gboolean
cf_sim_tokens_may_refresh(CfSim *sim, const char *refresh_token)
{
    return is_valid(sim, sim->tokens->refresh, refresh_token);
}

void
cf_sim_tokens_revoke(CfSimTokens *tokens, gboolean refresh_too)
{
    g_hash_table_remove_all(tokens->access);
    if (refresh_too)
        g_hash_table_remove_all(tokens->refresh);
}

gboolean
cf_sim_tokens_fresh(CfSimTokens *tokens, const char *random_text)
{
    return g_hash_table_add(tokens->randoms, g_strdup(random_text));
}
