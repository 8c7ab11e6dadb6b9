#include "auth/inspur-sign.h"

#include "util/text.h"

#include <string.h>

const char *const cf_inspur_sign_headers[CF_INSPUR_SIGN_N] = {
    [CF_INSPUR_SIGN_ID] = "x-secret-id", [CF_INSPUR_SIGN_ALGORITHM] = "x-sign-algorithm",
    [CF_INSPUR_SIGN_TIME] = "x-time",    [CF_INSPUR_SIGN_RANDOM] = "x-random",
    [CF_INSPUR_SIGN_SIGN] = "x-sign",
};

static const struct {
    const char *name;
    GChecksumType type;
} algorithms[] = {
    {"md5", G_CHECKSUM_MD5},
    {"sha1", G_CHECKSUM_SHA1},
    {"sha256", G_CHECKSUM_SHA256},
};

gboolean
cf_inspur_sign_algorithm(const char *text, GChecksumType *ret_algorithm)
{
    for (guint i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        if (strcmp(algorithms[i].name, text) == 0) {
            *ret_algorithm = algorithms[i].type;
            return TRUE;
        }
    }
    return FALSE;
}

static const char *
algorithm_name(GChecksumType type)
{
    for (guint i = 0; i < G_N_ELEMENTS(algorithms); i++)
        if (algorithms[i].type == type)
            return algorithms[i].name;
    g_return_val_if_reached("");
}

/* Decodes %XX as bytes; '+' is left alone: we never write a blank like that. */
static char *
decode(const char *text)
{
    char *decoded = g_malloc(strlen(text) + 1), *out = decoded;

    for (const char *p = text; *p;) {
        if (p[0] == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            *out++ = (char) (g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
            p += 3;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
    return decoded;
}

/* Adds "key=value" in decoded form for each parameter of an encoded query. */
static void
add_parameters(GPtrArray *parameters, const char *query)
{
    g_auto(GStrv) pairs = g_strsplit(query, "&", -1);

    for (guint i = 0; pairs[i]; i++)
        if (*pairs[i])
            g_ptr_array_add(parameters, decode(pairs[i]));
}

/* By key alone; g_ptr_array_sort() keeps the order of equal ones. */
static int
compare_parameters(gconstpointer a, gconstpointer b)
{
    const char *x = *(const char *const *) a, *y = *(const char *const *) b;
    gsize x_len = strcspn(x, "="), y_len = strcspn(y, "=");
    int order = memcmp(x, y, MIN(x_len, y_len));

    return order ? order : (x_len > y_len) - (x_len < y_len);
}

static void
append_target(GString *full, const CfInspurSignInput *input)
{
    g_autoptr(GPtrArray) parameters = g_ptr_array_new_with_free_func(g_free);
    const char *query = strchr(input->target, '?');

    g_string_append_len(full, input->target,
                        query ? query - input->target : (gssize) strlen(input->target));
    if (query)
        add_parameters(parameters, query + 1);
    if (input->form)
        add_parameters(parameters, input->form);
    g_ptr_array_sort(parameters, compare_parameters);
    for (guint i = 0; i < parameters->len; i++) {
        g_string_append_c(full, i == 0 ? '?' : '&');
        g_string_append(full, g_ptr_array_index(parameters, i));
    }
}

/* The page is silent on an absent body; running code leaves the line out, line feed and all. */
static void
append_body(GString *full, const CfInspurSignInput *input)
{
    g_autofree char *digest = NULL;

    if (input->body_len == 0 && !input->sign_empty_body)
        return;
    digest = g_compute_checksum_for_data(G_CHECKSUM_MD5, input->body_len ? input->body : "",
                                         input->body_len);
    g_string_append_c(full, '\n');
    g_string_append(full, digest);
}

void
cf_inspur_sign(const CfInspurSignInput *input, char *ret_values[CF_INSPUR_SIGN_N])
{
    GString *full = g_string_sized_new(512);
    g_autofree char *digest = NULL;

    g_string_printf(full, "%s\n%" G_GINT64_FORMAT "%s%s\n", input->method, input->time_ms,
                    input->random, input->secret_key);
    append_target(full, input);
    append_body(full, input);
    digest = g_compute_checksum_for_data(input->algorithm, (const guchar *) full->str, full->len);
    cf_text_wipe(g_string_free(full, FALSE)); /* the secret stands in it */

    ret_values[CF_INSPUR_SIGN_ID] = g_strdup(input->access_key);
    ret_values[CF_INSPUR_SIGN_ALGORITHM] = g_strdup(algorithm_name(input->algorithm));
    ret_values[CF_INSPUR_SIGN_TIME] = g_strdup_printf("%" G_GINT64_FORMAT, input->time_ms);
    ret_values[CF_INSPUR_SIGN_RANDOM] = g_strdup(input->random);
    /* Of the digest's hexadecimal text, not of its bytes. */
    ret_values[CF_INSPUR_SIGN_SIGN] = g_base64_encode((const guchar *) digest, strlen(digest));
}
