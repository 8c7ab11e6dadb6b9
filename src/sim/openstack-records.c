/* Records of the generated OpenStack: the same for the same seed and index. What may be null or
 * missing is so here and there. */
#include <string.h>

#include "sim/openstack.h"

#define SALT 0x6f70656e
#define FIRST_TIME 1577836800 /* 2020 */
#define APART_S 10            /* between the making of two servers */

static const struct {
    const char *name;
    guint id, vcpus, ram, disk;
} flavors[] = {
    {"m1.tiny", 1, 1, 512, 1},    {"m1.small", 2, 1, 2048, 20},    {"m1.medium", 3, 2, 4096, 40},
    {"m1.large", 4, 4, 8192, 80}, {"m1.xlarge", 5, 8, 16384, 160},
};

static const struct {
    const char *name, *distribution, *version, *type;
} systems[] = {
    {"debian-12", "debian", "12", "linux"},      {"ubuntu-22.04", "ubuntu", "22.04", "linux"},
    {"centos-stream-9", "centos", "9", "linux"}, {"windows-2022", "windows", "2022", "windows"},
    {"cirros-0.6", "cirros", "0.6", "linux"},
};

/* What a hundred servers are doing; nothing is under way in a world that nobody has touched. */
static const struct {
    guint upto;
    const char *status;
} shares[] = {
    {70, "ACTIVE"}, {92, "SHUTOFF"}, {94, "PAUSED"}, {96, "SUSPENDED"}, {97, "SHELVED_OFFLOADED"},
    {98, "RESCUE"}, {100, "ERROR"},
};

static const char *const roles[] = {"web", "db", "cache", "queue", "build", "mail", "log", "网关"};
static const char *const tag_words[] = {"web", "prod", "team-a", "备份", "two words"};
static const char *const zones[] = {"nova", "az-1", "az-2"};

void
cf_sim_os_append_id(CfSim *sim, CfSimKind kind, guint64 index, GString *out)
{
    guint64 chance = cf_sim_mix(sim->options.seed ^ ((guint64) SALT << 32), index * 4 + kind);

    /* The index keeps them apart. */
    g_string_append_printf(out, "%08x-%04x-4%03x-a%03x-%012" G_GINT64_MODIFIER "x",
                           (guint) (chance >> 32), (guint) chance & 0xffff,
                           (guint) (chance >> 16) & 0xfff, (guint) (chance >> 24) & 0xfff, index);
}

/* Made by somebody, not by the generator: a plain one, of now. */
static gboolean
is_plain(guint64 index)
{
    return index >> 32 != 0;
}

/* Returns: (transfer full) */
static char *
time_of(CfSim *sim, guint64 index, guint late_s)
{
    gint64 at_s = FIRST_TIME + (gint64) index * APART_S + late_s;
    g_autoptr(GDateTime) date = NULL;

    if (is_plain(index))
        return cf_sim_os_now(sim, "%Y-%m-%dT%H:%M:%SZ");
    date = g_date_time_new_from_unix_utc(at_s);
    return g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
}

static const char *
pick_status(guint64 index, guint roll)
{
    guint i = 0;

    if (is_plain(index))
        return "ACTIVE";
    while (shares[i].upto <= roll)
        i++;
    return shares[i].status;
}

static void
append_state(guint64 index, const char *status, const char *created, GString *out)
{
    gboolean homeless = strcmp(status, "SHELVED_OFFLOADED") == 0;

    g_string_append_printf(
        out,
        ",\"status\":\"%s\",\"OS-EXT-STS:vm_state\":\"%s\",\"" CF_SIM_OS_TASK
        "\":null,\"OS-EXT-STS:power_state\":%u,\"OS-SRV-USG:launched_at\":\"%.19s.000000\","
        "\"OS-SRV-USG:terminated_at\":null,\"progress\":0",
        status, cf_sim_os_vm_state(status), cf_sim_os_power_state(status), created);
    if (strcmp(status, "ERROR") == 0)
        g_string_append_printf(out,
                               ",\"fault\":{\"code\":500,\"created\":\"%s\",\"message\":\"No valid "
                               "host was found. \"}",
                               created);
    g_string_append_printf(out, ",\"hostId\":\"");
    if (!homeless)
        g_string_append_printf(out, "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                               cf_sim_mix(9, index % 40), cf_sim_mix(10, index % 40));
    g_string_append_c(out, '"');
}

/* The volume of every eleventh is not made of an image that shows. */
static void
append_image(CfSim *sim, guint64 index, GString *out)
{
    g_autoptr(GString) id = g_string_new(NULL);

    if (index % 11 == 3) {
        g_string_append(out, ",\"image\":\"\"");
        return;
    }
    cf_sim_os_append_id(sim, CF_SIM_IMAGES, index % 12, id);
    g_string_append_printf(out,
                           ",\"image\":{\"id\":\"%s\",\"links\":[{\"rel\":\"bookmark\",\"href\":"
                           "\"http://internal.example/images/%s\"}]}",
                           id->str, id->str);
}

static void
append_flavor(guint64 *random, GString *out)
{
    guint i = (guint) (cf_sim_random(random) % G_N_ELEMENTS(flavors));

    g_string_append_printf(out,
                           ",\"flavor\":{\"original_name\":\"%s\",\"vcpus\":%u,\"ram\":%u,\"disk\":"
                           "%u,\"ephemeral\":0,\"swap\":0,\"extra_specs\":{}}",
                           flavors[i].name, flavors[i].vcpus, flavors[i].ram, flavors[i].disk);
}

static void
append_address(const char *addr, const char *type, guint64 index, GString *out)
{
    g_string_append_printf(out,
                           "{\"version\":4,\"addr\":\"%s\",\"OS-EXT-IPS:type\":\"%s\","
                           "\"OS-EXT-IPS-MAC:mac_addr\":\"fa:16:3e:%02x:%02x:%02x\"}",
                           addr, type, (guint) (index >> 16) & 0xff, (guint) (index >> 8) & 0xff,
                           (guint) index & 0xff);
}

static void
append_addresses(guint64 index, GString *out)
{
    guint high = (guint) (index >> 16) & 0xff, middle = (guint) (index >> 8) & 0xff;
    g_autofree char *fixed = g_strdup_printf("10.%u.%u.%u", high, middle, (guint) index & 0xff);
    g_autofree char *floating =
        g_strdup_printf("198.%u.%u.%u", 18 + (high & 1), middle, (guint) index & 0xff);

    g_string_append(out, ",\"addresses\":{");
    if (index % 13 != 6) {
        g_string_append(out, "\"private\":[");
        append_address(fixed, "fixed", index, out);
        if (index % 3 == 0) {
            g_string_append_c(out, ',');
            append_address(floating, "floating", index, out);
        }
        g_string_append_c(out, ']');
    }
    g_string_append(out, "},\"accessIPv4\":\"\",\"accessIPv6\":\"\"");
    if (index % 13 != 6)
        g_string_append(out, ",\"security_groups\":[{\"name\":\"default\"}]");
}

static void
append_words(guint64 index, GString *out)
{
    guint n = is_plain(index) ? 0 : (guint) (index % 4);
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    g_string_append(out, ",\"tags\":[");
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(words, (gpointer) tag_words[(index / 4 + i) % G_N_ELEMENTS(tag_words)]);
    g_ptr_array_sort(words, (GCompareFunc) (void (*)(void)) g_strcmp0);
    for (guint i = 0; i < n; i++) {
        if (i)
            g_string_append_c(out, ',');
        cf_sim_raw_quote(out, g_ptr_array_index(words, i));
    }
    g_string_append_printf(out, "],\"metadata\":{%s},\"description\":",
                           is_plain(index) || index % 5 ? "" : "\"role\":\"front\"");
    if (is_plain(index) || index % 3)
        g_string_append(out, "null");
    else
        g_string_append_printf(out, "\"server %" G_GUINT64_FORMAT "\"", index);
}

static char *
make_server(CfSim *sim, guint64 index)
{
    guint64 random = cf_sim_mix(sim->options.seed, index * 2);
    guint role = (guint) (cf_sim_random(&random) % G_N_ELEMENTS(roles));
    guint roll = (guint) (cf_sim_random(&random) % 100);
    g_autofree char *created = time_of(sim, index, 0);
    g_autofree char *updated = time_of(sim, index, (guint) (cf_sim_random(&random) % 3600));
    g_autoptr(GString) id = g_string_new(NULL);
    GString *out = g_string_sized_new(2048);

    cf_sim_os_append_id(sim, CF_SIM_SERVERS, index, id);
    g_string_append_printf(out, "{\"id\":\"%s\",\"name\":\"%s-%06u\"", id->str, roles[role],
                           (guint) (index % 1000000));
    append_state(index, pick_status(index, roll), created, out);
    append_image(sim, index, out);
    append_flavor(&random, out);
    append_addresses(index, out);
    append_words(index, out);
    g_string_append_printf(out,
                           ",\"created\":\"%s\",\"updated\":\"%s\",\"tenant_id\":"
                           "\"" CF_SIM_OS_PROJECT "\",\"user_id\":\"" CF_SIM_OS_USER "\"",
                           created, updated);
    if (index % 7 == 3)
        g_string_append(out, ",\"key_name\":null");
    else
        g_string_append_printf(out, ",\"key_name\":\"key-%u\"", (guint) (index % 7));
    g_string_append_printf(out,
                           ",\"OS-EXT-AZ:availability_zone\":\"%s\",\"OS-DCF:diskConfig\":"
                           "\"MANUAL\",\"config_drive\":\"\",\"locked\":false,\"locked_reason\":"
                           "null,\"os-extended-volumes:volumes_attached\":[],"
                           "\"trusted_image_certificates\":null,\"server_groups\":[],\"links\":[{"
                           "\"rel\":\"self\",\"href\":\"http://internal.example/v2.1/servers/%s\"},"
                           "{\"rel\":\"bookmark\",\"href\":\"http://internal.example/servers/%s\"}"
                           "]}",
                           zones[index % G_N_ELEMENTS(zones)], id->str, id->str);
    return g_string_free(out, FALSE);
}

static char *
make_image(CfSim *sim, guint64 index)
{
    guint system = (guint) (index % G_N_ELEMENTS(systems));
    gboolean private = is_plain(index) || index % 2 == 1;
    g_autofree char *created = time_of(sim, index, 0);
    g_autofree char *updated = time_of(sim, index, 600);
    g_autoptr(GString) id = g_string_new(NULL);
    GString *out = g_string_sized_new(1024);

    cf_sim_os_append_id(sim, CF_SIM_IMAGES, index, id);
    g_string_append_printf(out, "{\"id\":\"%s\",\"name\":\"%s", id->str, systems[system].name);
    if (index >= G_N_ELEMENTS(systems))
        g_string_append_printf(out, "-%04u", (guint) (index % 10000));
    g_string_append_printf(
        out,
        "\",\"status\":\"%s\",\"visibility\":\"%s\",\"owner\":\"%s\",\"protected\":%s,"
        "\"size\":%" G_GUINT64_FORMAT ",\"virtual_size\":null,\"checksum\":"
        "\"%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x\",\"os_hash_algo\":\"sha512\","
        "\"os_hash_value\":\"%016" G_GINT64_MODIFIER "x\",\"os_hidden\":false",
        !is_plain(index) && index % 12 == 9 ? "deactivated" : "active",
        private ? "private" : "public", private ? CF_SIM_OS_PROJECT : CF_SIM_OS_OTHER_PROJECT,
        !private && index % 10 == 8 ? "true" : "false", 21430272 + index % 5000 * 1048576,
        cf_sim_mix(1, index), cf_sim_mix(2, index), cf_sim_mix(3, index));
    g_string_append_printf(out,
                           ",\"min_disk\":%u,\"min_ram\":%u,\"disk_format\":\"qcow2\","
                           "\"container_format\":\"bare\",\"tags\":[%s],\"created_at\":\"%s\","
                           "\"updated_at\":\"%s\"",
                           private ? 20 : 0, private ? 512 : 0,
                           is_plain(index) || index % 3 ? "" : "\"golden\"", created, updated);
    if (index % 4)
        g_string_append_printf(out,
                               ",\"os_type\":\"%s\",\"os_distro\":\"%s\",\"os_version\":\"%s\","
                               "\"architecture\":\"x86_64\"",
                               systems[system].type, systems[system].distribution,
                               systems[system].version);
    if (!is_plain(index) && index % 3)
        g_string_append_printf(out, ",\"description\":\"image %u\"", (guint) index);
    g_string_append_printf(out,
                           ",\"self\":\"/v2/images/%s\",\"file\":\"/v2/images/%s/file\","
                           "\"schema\":\"/v2/schemas/image\"}",
                           id->str, id->str);
    return g_string_free(out, FALSE);
}

char *
cf_sim_os_make(CfSim *sim, CfSimKind kind, guint64 index)
{
    return kind == CF_SIM_SERVERS ? make_server(sim, index) : make_image(sim, index);
}

/* ---- Flavours ---- */

void
cf_sim_os_append_flavor_link(const char *name, GString *out)
{
    g_autofree char *id = NULL;

    for (guint i = 0; name && i < G_N_ELEMENTS(flavors); i++) {
        if (strcmp(flavors[i].name, name) == 0)
            id = g_strdup_printf("%u", flavors[i].id);
    }
    if (!id)
        id = g_strdup_printf("%08x", g_str_hash(name ? name : ""));
    g_string_append_printf(out,
                           "{\"id\":\"%s\",\"links\":[{\"rel\":\"bookmark\",\"href\":"
                           "\"http://internal.example/flavors/%s\"}]}",
                           id, id);
}

static void
append_whole_flavor(guint i, GString *out)
{
    g_string_append_printf(
        out,
        "{\"id\":\"%u\",\"name\":\"%s\",\"vcpus\":%u,\"ram\":%u,\"disk\":%u,\"swap\":"
        "\"\",\"OS-FLV-EXT-DATA:ephemeral\":0,\"OS-FLV-DISABLED:disabled\":false,"
        "\"os-flavor-access:is_public\":true,\"rxtx_factor\":1.0,\"links\":[{\"rel\":"
        "\"bookmark\",\"href\":\"http://internal.example/flavors/%u\"}]}",
        flavors[i].id, flavors[i].name, flavors[i].vcpus, flavors[i].ram, flavors[i].disk,
        flavors[i].id);
}

void
cf_sim_os_list_flavors(CfSim *sim, CfSimCall *call)
{
    const char *marker = cf_sim_call_peek_param(call, "marker");
    guint first = 0;
    guint64 limit;

    if (!cf_sim_os_take_limit(sim, call, CF_SIM_OS_PAGE_MAX, &limit))
        return;
    while (marker && first < G_N_ELEMENTS(flavors) &&
           (guint64) g_ascii_strtoull(marker, NULL, 10) >= flavors[first].id)
        first++;
    cf_sim_answer(call, 200, "{\"flavors\":[");
    for (guint i = first; i < G_N_ELEMENTS(flavors) && i - first < limit; i++) {
        if (i > first)
            g_string_append_c(call->answer, ',');
        append_whole_flavor(i, call->answer);
    }
    g_string_append_c(call->answer, ']');
    if (limit && G_N_ELEMENTS(flavors) - first >= limit) {
        g_autofree char *last = g_strdup_printf("%u", flavors[first + limit - 1].id);

        g_string_append_printf(call->answer,
                               ",\"flavors_links\":[{\"rel\":\"next\",\"href\":\"%s%s", sim->url,
                               call->path);
        cf_sim_os_append_query(call, last, call->answer);
        g_string_append(call->answer, "\"}]");
    }
    g_string_append_c(call->answer, '}');
}

void
cf_sim_os_show_flavor(CfSim *sim, CfSimCall *call)
{
    for (guint i = 0; i < G_N_ELEMENTS(flavors); i++) {
        g_autofree char *id = g_strdup_printf("%u", flavors[i].id);

        if (strcmp(id, call->args[0]) != 0)
            continue;
        cf_sim_answer(call, 200, "{\"flavor\":");
        append_whole_flavor(i, call->answer);
        g_string_append_c(call->answer, '}');
        return;
    }
    cf_sim_os_refuse_printf(sim, call, 404, "Flavor %s could not be found.", call->args[0]);
}
