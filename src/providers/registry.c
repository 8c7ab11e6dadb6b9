#include "providers/provider.h"

#include <string.h>

extern const CfProviderOps cf_provider_inspur;

static const CfProviderOps *const providers[] = {
    &cf_provider_inspur,
    NULL,
};

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
