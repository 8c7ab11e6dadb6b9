#include "auth/qingcloud-sign.h"

#include <string.h>

static const struct {
    const char *name;
    GChecksumType digest;
} methods[] = {
    {"HmacSHA256", G_CHECKSUM_SHA256},
    {"HmacSHA1", G_CHECKSUM_SHA1},
};

gboolean
cf_qingcloud_sign_method(const char *text, GChecksumType *ret_digest)
{
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (strcmp(methods[i].name, text) == 0) {
            *ret_digest = methods[i].digest;
            return TRUE;
        }
    }
    return FALSE;
}

/* RFC 3986: all but unreserved characters as %XX in upper case; a blank is %20. */
static void
append_encoded(GString *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (const guchar *p = (const guchar *) text; *p; p++) {
        if (g_ascii_isalnum(*p) || strchr("-_.~", *p)) {
            g_string_append_c(out, (char) *p);
        } else {
            g_string_append_c(out, '%');
            g_string_append_c(out, hex[*p >> 4]);
            g_string_append_c(out, hex[*p & 15]);
        }
    }
}

/* By bytes: "instances.10" stands before "instances.2". */
static int
compare_names(gconstpointer a, gconstpointer b)
{
    const CfQingcloudParameter *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static GString *
join(const CfQingcloudSignInput *input)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GString *out = g_string_sized_new(512);

    for (gsize i = 0; i < input->n_parameters; i++)
        g_ptr_array_add(sorted, (gpointer) &input->parameters[i]);
    g_ptr_array_sort(sorted, compare_names);
    for (guint i = 0; i < sorted->len; i++) {
        const CfQingcloudParameter *parameter = g_ptr_array_index(sorted, i);

        if (i > 0)
            g_string_append_c(out, '&');
        append_encoded(out, parameter->name);
        g_string_append_c(out, '=');
        append_encoded(out, parameter->value ? parameter->value : "");
    }
    return out;
}

/* Returns: (transfer full): the raw digest in Base64. */
static char *
digest_of(const CfQingcloudSignInput *input, const char *parameters)
{
    g_autofree char *text = g_strdup_printf("%s\n%s\n%s", input->method, input->path, parameters);
    GHmac *hmac =
        g_hmac_new(input->digest, (const guchar *) input->secret_key, strlen(input->secret_key));
    guint8 digest[64];
    gsize size = sizeof digest;

    g_hmac_update(hmac, (const guchar *) text, (gssize) strlen(text));
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    return g_base64_encode(digest, size);
}

char *
cf_qingcloud_sign(const CfQingcloudSignInput *input)
{
    GString *out = join(input);
    g_autofree char *signature = digest_of(input, out->str);

    g_string_append(out, "&signature=");
    append_encoded(out, signature);
    return g_string_free(out, FALSE);
}
