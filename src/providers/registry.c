#include "providers/provider.h"

#include <string.h>

/* registry.list has a line for each backend; the build reads it, too, for the folders. */
#define PROVIDER(name) extern const CfProviderOps cf_provider_##name;
#include "providers/registry.list"
#undef PROVIDER

#define PROVIDER(name) &cf_provider_##name,
static const CfProviderOps *const providers[] = {
#include "providers/registry.list"
    NULL,
};
#undef PROVIDER

const CfProviderOps *const *
cf_providers_get(void)
{
    return providers;
}

const CfProviderOps *
cf_providers_find(const char *name)
{
    for (guint i = 0; name && providers[i]; i++)
        if (strcmp(providers[i]->name, name) == 0)
            return providers[i];
    return NULL;
}
