/* Who may: every request of UCloudStack is signed with a private key. */
#include <string.h>

#include "sim/ucloudstack.h"

typedef struct {
    const char *name, *value;
} Pair;

/* By the bytes of the names, so that ImageIDs.10 comes before ImageIDs.2. */
static gint
compare_pairs(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(((const Pair *) a)->name, ((const Pair *) b)->name);
}

char *
cf_sim_ucloud_sign(const GPtrArray *params, const char *private_key)
{
    g_autofree Pair *pairs = g_new0(Pair, params->len / 2 + 1);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    guint n = 0;

    for (guint i = 0; i + 1 < params->len; i += 2) {
        Pair pair = {g_ptr_array_index(params, i), g_ptr_array_index(params, i + 1)};

        if (strcmp(pair.name, "Signature") != 0)
            pairs[n++] = pair;
    }
    g_qsort_with_data(pairs, (gint) n, sizeof *pairs, compare_pairs, NULL);
    for (guint i = 0; i < n; i++) {
        g_checksum_update(sum, (const guchar *) pairs[i].name, -1);
        g_checksum_update(sum, (const guchar *) pairs[i].value, -1);
    }
    g_checksum_update(sum, (const guchar *) private_key, -1);
    return g_strdup(g_checksum_get_string(sum));
}

/* What the URL says beside a form is for the logs of servers: it is not signed, so it counts for
 * nothing here. */
static void
drop_unsigned(CfSimCall *call)
{
    if (!cf_sim_call_is_form(call))
        return;
    g_ptr_array_set_size(call->params, 0);
    cf_sim_form_parse(call->body->str, call->params);
}

static gboolean
is_signed(CfSim *sim, const CfSimCall *call)
{
    g_autofree char *wanted =
        cf_sim_ucloud_sign(call->params, sim->options.secret_key ? sim->options.secret_key : "");

    return g_strcmp0(cf_sim_call_peek_param(call, "PublicKey"), sim->options.access_key) == 0 &&
           strcmp(wanted, cf_sim_call_peek_param(call, "Signature")) == 0;
}

static gboolean
is_empty(const CfSimCall *call, const char *name)
{
    const char *value = cf_sim_call_peek_param(call, name);

    return !value || !*value;
}

gboolean
cf_sim_ucloud_admit(CfSim *sim, CfSimCall *call)
{
    CfSimUcloudReason why;

    drop_unsigned(call);
    if (is_empty(call, "Action"))
        why = CF_SIM_UCLOUD_NO_ACTION;
    else if (sim->settings.referer_needed && !cf_sim_call_header(call, "Referer"))
        why = CF_SIM_UCLOUD_NO_REFERER;
    else if (sim->options.no_auth)
        return TRUE;
    else if (is_empty(call, "PublicKey"))
        why = CF_SIM_UCLOUD_NO_KEY;
    else if (is_empty(call, "Signature"))
        why = CF_SIM_UCLOUD_NO_SIGNATURE;
    else if (!is_signed(sim, call))
        why = CF_SIM_UCLOUD_BAD_SIGNATURE;
    else
        return TRUE;
    cf_sim_ucloud_refuse(sim, call, why, NULL);
    return FALSE;
}
