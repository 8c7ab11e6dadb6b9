#include "auth/ucloudstack-sign.h"

#include <stdlib.h>
#include <string.h>

static int
compare_names(const void *a, const void *b)
{
    const CfUcloudstackParameter *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static void
add(GChecksum *sum, const char *text)
{
    g_checksum_update(sum, (const guchar *) text, (gssize) strlen(text));
}

char *
cf_ucloudstack_sign(const CfUcloudstackParameter *parameters, guint n, const char *private_key)
{
    g_autofree CfUcloudstackParameter *sorted = g_new(CfUcloudstackParameter, MAX(n, 1));
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);

    for (guint i = 0; i < n; i++)
        sorted[i] = parameters[i];
    qsort(sorted, n, sizeof sorted[0], compare_names);
    for (guint i = 0; i < n; i++) {
        add(sum, sorted[i].name);
        add(sum, sorted[i].value);
    }
    add(sum, private_key); /* never in a buffer of ours: nothing to wipe */
    return g_strdup(g_checksum_get_string(sum));
}
