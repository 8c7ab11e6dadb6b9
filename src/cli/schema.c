#include "cli/schema.h"

#include "config/options.h"
#include "providers/provider.h"
#include "util/error.h"

static CfConfigKey *
make_keys(const CfProviderKey *keys)
{
    guint n = 0;
    CfConfigKey *copies;

    while (keys[n].name)
        n++;
    copies = g_new0(CfConfigKey, n + 1);
    for (guint i = 0; i < n; i++)
        copies[i] = (CfConfigKey){keys[i].name, keys[i].secret, keys[i].required, keys[i].fallback};
    return copies;
}

const CfConfigSchema *
cf_schemas_get(void)
{
    static CfConfigSchema *schemas; /* made once, and kept: profiles point into it */
    const CfProviderOps *const *providers = cf_providers_get();
    guint n = 0;

    if (schemas)
        return schemas;
    while (providers[n])
        n++;
    schemas = g_new0(CfConfigSchema, n + 1);
    for (guint i = 0; i < n; i++)
        schemas[i] = (CfConfigSchema){providers[i]->name, make_keys(providers[i]->keys)};
    return schemas;
}

/* Returns: (transfer full): "; did you mean ‘prod’?" or "". */
static char *
suggest_profile(GPtrArray *all, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *found;

    for (guint i = 0; i < all->len; i++)
        g_ptr_array_add(names, (gpointer) cf_profile_get_name(g_ptr_array_index(all, i)));
    g_ptr_array_add(names, NULL);
    found = cf_option_suggest(name, (const char *const *) names->pdata);
    return found ? g_strdup_printf("; did you mean ‘%s’?", found)
                 : g_strdup("; cirrusfs profiles lists them");
}

GPtrArray *
cf_profiles_select(CfConfig *config, char *const *names, GError **error)
{
    GPtrArray *all = cf_config_get_profiles(config);
    g_autoptr(GPtrArray) selected = g_ptr_array_new();

    for (guint i = 0; !*names && i < all->len; i++)
        g_ptr_array_add(selected, g_ptr_array_index(all, i));
    for (; *names; names++) {
        CfProfile *profile = cf_config_find_profile(config, *names);

        if (!profile) {
            g_autofree char *suggestion = suggest_profile(all, *names);

            g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "the configuration has no profile ‘%s’%s",
                        *names, suggestion);
            return NULL;
        }
        if (!g_ptr_array_find(selected, profile, NULL))
            g_ptr_array_add(selected, profile);
    }
    return g_steal_pointer(&selected);
}

const char *
cf_profile_get_address(CfProfile *profile)
{
    const char *endpoint = cf_profile_get(profile, "endpoint");

    return endpoint ? endpoint : cf_profile_get(profile, "auth_url");
}
