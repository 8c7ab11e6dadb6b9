/* Records of the generated world: plain, documented, the same for the same seed and index. */
#include "sim/qingcloud.h"

#define ID_DIGITS 8
#define ID_COUNT G_GUINT64_CONSTANT(2821109907456) /* 36 to the power of 8 */
#define ID_STEP G_GUINT64_CONSTANT(3141593)        /* has no divisor in common with it */

static const struct {
    const char *id, *name, *family, *platform, *processor;
    guint size;
} systems[] = {
    {"centos76x64", "CentOS 7.6 64bit", "centos", "linux", "64bit", 20},
    {"focal1x64", "Ubuntu Server 20.04 LTS 64bit", "ubuntu", "linux", "64bit", 20},
    {"buster1x64", "Debian 10 64bit", "debian", "linux", "64bit", 20},
    {"win2k19dtc", "Windows Server 2019 数据中心版", "windows", "windows", "64bit", 50},
    {"fedora20x86", "Fedora 20 32bit", "fedora", "linux", "32bit", 10},
};

static const struct {
    const char *name;
    guint vcpus, memory, class;
} types[] = {
    {"c1m1", 1, 1024, 0},
    {"c2m4", 2, 4096, 0},
    {"c4m8", 4, 8192, 1},
    {"s1.large.r1", 4, 8192, 101},
    {"e3.xlarge.r2", 8, 16384, 201},
    {"small_b", 1, 1024, 0},
};

/* What a hundred servers are doing. */
static const struct {
    guint upto;
    const char *status, *transition;
} states[] = {
    {60, "running", ""},
    {82, "stopped", ""},
    {86, "suspended", ""},
    {89, "terminated", ""},
    {91, "ceased", ""},
    {93, "pending", "creating"},
    {95, "running", "resizing"},
    {97, "stopped", "resetting"},
    {99, "running", "suspending"},
    {100, "suspended", "resuming"},
};

static const char *const tag_names[] = {"prod", "team-a", "备份", "web"};
static const char *const roles[] = {"web", "db", "cache", "queue", "build", "mail", "log", "gw"};

void
cf_sim_qingcloud_append_id(CfSim *sim, const char *prefix, guint64 index, GString *out)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    guint64 n = (index % ID_COUNT * ID_STEP + cf_sim_mix(sim->options.seed, 36)) % ID_COUNT;
    char text[ID_DIGITS + 1] = {0};

    for (guint i = 0; i < ID_DIGITS; i++) {
        text[i] = digits[n % 36];
        n /= 36;
    }
    g_string_append_printf(out, "%s-%s", prefix, text);
}

/* The images of the system have ids that mean something. */
static void
append_image_id(CfSim *sim, guint64 index, GString *out)
{
    guint64 round = index / 2 / G_N_ELEMENTS(systems);

    if (index % 2) {
        cf_sim_qingcloud_append_id(sim, "img", index, out);
        return;
    }
    g_string_append(out, systems[index / 2 % G_N_ELEMENTS(systems)].id);
    if (round)
        g_string_append_printf(out, "r%" G_GUINT64_FORMAT, round);
    else
        g_string_append_c(out, 'a');
}

static void
append_server_state(guint64 index, guint64 *random, GString *out)
{
    guint roll = (guint) (cf_sim_random(random) % 100);
    guint minute = (guint) (cf_sim_random(random) % (365 * 1440));
    guint i = 0;

    while (states[i].upto <= roll)
        i++;
    g_string_append_printf(out,
                           ",\"status\":\"%s\",\"transition_status\":\"%s\",\"sub_code\":%u,"
                           "\"create_time\":\"2023-%02u-%02uT%02u:%02u:%02uZ\",\"status_time\":"
                           "\"2024-%02u-%02uT%02u:%02u:%02uZ\"",
                           states[i].status, states[i].transition, roll == 85,
                           1 + minute / 1440 / 31, 1 + minute / 1440 % 28, minute / 60 % 24,
                           minute % 60, (guint) (index % 60), 1 + minute / 1440 / 31,
                           1 + minute / 1440 % 28, minute % 24, minute / 24 % 60,
                           (guint) (index % 60));
}

static void
append_server_image(CfSim *sim, guint64 *random, GString *out)
{
    guint64 image = cf_sim_random(random) % MAX(sim->options.images, 1);
    guint system = (guint) (image / 2 % G_N_ELEMENTS(systems));

    if (cf_sim_random(random) % 50 == 0)
        image += 1000001; /* an image that is gone */
    g_string_append(out, ",\"image\":{\"image_id\":\"");
    append_image_id(sim, image, out);
    g_string_append_printf(out,
                           "\",\"image_name\":\"%s\",\"image_size\":%u,\"platform\":\"%s\","
                           "\"os_family\":\"%s\",\"processor_type\":\"%s\",\"provider\":\"%s\","
                           "\"features_supported\":{\"set_pwd\":1,\"disk_size\":1}}",
                           systems[system].name, systems[system].size, systems[system].platform,
                           systems[system].family, systems[system].processor,
                           image % 2 ? "self" : "system");
}

static void
append_networks(CfSim *sim, guint64 index, guint64 *random, GString *out)
{
    guint nics = cf_sim_random(random) % 20 == 0 ? 2 : 1;
    guint roll = (guint) (cf_sim_random(random) % 4);

    g_string_append(out, ",\"vxnets\":[");
    for (guint i = 0; i < nics; i++)
        g_string_append_printf(
            out,
            "%s{\"vxnet_id\":\"vxnet-%u\",\"vxnet_name\":\"%s\",\"vxnet_type\":%u,\"nic_id\":"
            "\"52:54:%02x:%02x:%02x:%02x\",\"private_ip\":\"10.%u.%u.%u\",\"role\":%u}",
            i ? "," : "", i, i ? "private" : "primary", !i, i, (guint) (index >> 16) & 0xff,
            (guint) (index >> 8) & 0xff, (guint) index & 0xff,
            8 * i + ((guint) (index >> 16) & 0x7), (guint) (index >> 8) & 0xff,
            (guint) index & 0xff, !i);
    g_string_append_c(out, ']');
    if (roll == 1)
        g_string_append(out, ",\"eip\":null");
    else if (roll == 2)
        g_string_append(out, ",\"eip\":{}");
    else if (roll == 3) {
        g_string_append(out, ",\"eip\":{\"eip_id\":\"");
        cf_sim_qingcloud_append_id(sim, "eip", index, out);
        g_string_append_printf(out, "\",\"eip_addr\":\"198.%u.%u.%u\",\"bandwidth\":%s}",
                               18 + ((guint) (index >> 16) & 1), (guint) (index >> 8) & 0xff,
                               (guint) index & 0xff, index % 2 ? "\"50\"" : "50");
    }
}

static void
append_extras(CfSim *sim, guint64 index, guint64 *random, GString *out)
{
    guint volumes = (guint) (cf_sim_random(random) % 3);

    g_string_append(out, ",\"security_group\":{\"is_default\":1,\"security_group_name\":"
                         "\"default\",\"security_group_id\":\"");
    cf_sim_qingcloud_append_id(sim, "sg", index % 7, out);
    g_string_append(out, "\"},\"volume_ids\":[");
    for (guint i = 0; i < volumes; i++) {
        g_string_append(out, i ? ",\"" : "\"");
        cf_sim_qingcloud_append_id(sim, "vol", index * 4 + i, out);
        g_string_append_c(out, '"');
    }
    g_string_append(out, "],\"keypair_ids\":[");
    if (index % 3) {
        g_string_append_c(out, '"');
        cf_sim_qingcloud_append_id(sim, "kp", index % 11, out);
        g_string_append_c(out, '"');
    }
    g_string_append_printf(out,
                           "],\"extra\":{\"os_disk_size\":%u,\"nic_mqueue\":0,\"hypervisor\":"
                           "\"kvm\",\"cpu_model\":\"\",\"gpu\":0}",
                           20 + 10 * (guint) (index % 4));
}

static char *
make_server(CfSim *sim, guint64 index)
{
    guint64 random = cf_sim_mix(sim->options.seed, index * 2);
    GString *out = g_string_sized_new(2048);
    guint role = (guint) (cf_sim_random(&random) % G_N_ELEMENTS(roles));
    guint type = (guint) (cf_sim_random(&random) % G_N_ELEMENTS(types));
    char *text;

    g_string_append(out, "{\"instance_id\":\"");
    cf_sim_qingcloud_append_id(sim, "i", index, out);
    g_string_append_printf(out, "\",\"instance_name\":\"%s-%06u\"", roles[role],
                           (guint) (index % 1000000));
    if (index % 3)
        g_string_append_printf(out, ",\"description\":%s",
                               index % 3 == 1 ? "null" : "\"made by the simulator\"");
    g_string_append_printf(out,
                           ",\"instance_type\":\"%s\",\"instance_class\":%u,\"vcpus_current\":%u,"
                           "\"memory_current\":%u,\"cpu_topology\":\"\",\"owner\":\"%s\","
                           "\"zone_id\":\"pek3%c\",\"device\":\"pc\",\"alarm_status\":\"\","
                           "\"lastest_snapshot_time\":null,\"dns_aliases\":[],"
                           "\"graphics_protocol\":\"vnc\",\"graphics_passwd\":"
                           "\"fake%08x\"",
                           types[type].name, types[type].class, types[type].vcpus,
                           types[type].memory, CF_SIM_QINGCLOUD_OWNER, "abcd"[index % 4],
                           (guint) cf_sim_random(&random));
    append_server_state(index, &random, out);
    append_server_image(sim, &random, out);
    append_networks(sim, index, &random, out);
    append_extras(sim, index, &random, out);
    g_string_append(out, ",\"tags\":[]}");
    text = g_strndup(out->str, out->len);
    g_string_free(out, TRUE);
    return text;
}

/* What becomes of images: most of the account's own are there, some on their way out. */
static const char *
image_status(guint64 index)
{
    switch (index % 12) {
    case 4:
        return "deprecated";
    case 7:
        return "deleted";
    case 9:
        return "suspended";
    case 11:
        return "ceased";
    default:
        return "available";
    }
}

static char *
make_image(CfSim *sim, guint64 index)
{
    guint system = (guint) (index / 2 % G_N_ELEMENTS(systems));
    gboolean own = index % 2 == 1;
    GString *out = g_string_sized_new(1024);

    g_string_append(out, "{\"image_id\":\"");
    append_image_id(sim, index, out);
    g_string_append(out, "\",\"image_name\":\"");
    if (own && index % 12 != 11)
        g_string_append_printf(out, "image-%06u", (guint) (index % 1000000));
    else if (!own)
        g_string_append(out, systems[system].name);
    g_string_append_c(out, '"');
    if (index % 5)
        g_string_append_printf(out, ",\"description\":%s",
                               index % 5 == 1 ? "null" : "\"made by the simulator\"");
    g_string_append_printf(
        out,
        ",\"size\":%u,\"processor_type\":\"%s\",\"platform\":\"%s\",\"os_family\":\"%s\","
        "\"visibility\":\"%s\",\"provider\":\"%s\",\"owner\":\"%s\",\"recommended_type\":"
        "\"small_b\",\"sub_code\":%u,\"status\":\"%s\",\"transition_status\":\"\","
        "\"create_time\":\"2018-09-%02uT12:14:25Z\",\"status_time\":\"2019-09-%02uT12:14:25Z\"",
        systems[system].size, systems[system].processor, systems[system].platform,
        systems[system].family, own ? "private" : "public", own ? "self" : "system",
        own ? CF_SIM_QINGCLOUD_OWNER : "system", index % 12 == 11, image_status(index),
        (guint) (1 + index % 28), (guint) (1 + index % 28));
    if (index % 6 == 2)
        g_string_append(out, ",\"tags\":\"\"}");
    else if (index % 6 == 4)
        g_string_append(out, ",\"tags\":null}");
    else if (index % 6)
        g_string_append(out, ",\"tags\":[]}");
    else
        g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

char *
cf_sim_qingcloud_make(CfSim *sim, CfSimKind kind, guint64 index)
{
    return kind == CF_SIM_SERVERS ? make_server(sim, index) : make_image(sim, index);
}

/* Returns: (transfer full) (nullable): the names of a generated record's tags. */
static GPtrArray *
make_tags(CfSim *sim, CfSimKind kind, guint64 index)
{
    guint n = (guint) (index % 4);
    GPtrArray *names;

    if (sim->options.hostile)
        return cf_sim_hostile_tags(index);
    if (kind == CF_SIM_IMAGES && index % 2 == 0)
        return NULL;
    names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(names, g_strdup(tag_names[(index + i) % G_N_ELEMENTS(tag_names)]));
    return names;
}

static void
add_generated(CfSim *sim, CfSimKind kind, guint64 index)
{
    g_autoptr(GString) next = g_string_new(NULL);
    g_autoptr(GPtrArray) names = make_tags(sim, kind, index);
    g_autoptr(GError) error = NULL;
    g_autofree char *status = NULL;
    char *text = cf_sim_qingcloud_make(sim, kind, index);
    CfSimRecord *record;

    if (sim->options.hostile) {
        if (kind == CF_SIM_SERVERS)
            cf_sim_qingcloud_append_id(sim, "i", index + 1, next);
        else
            append_image_id(sim, index + 1, next);
        text = cf_sim_hostile(&cf_sim_qingcloud_hostile[kind], index, text, next->str);
    }
    record = cf_sim_world_add(sim->world, kind, text, &error);
    if (!record)
        g_error("the generated world is wrong: %s", error->message);
    if (names && (!sim->options.hostile || g_str_has_suffix(record->text, "\"tags\":[]}")))
        cf_sim_qingcloud_set_tags(sim, record, names);
    status = cf_sim_raw_get_string(cf_sim_record_span(record), "status");
    if (g_strcmp0(status, "terminated") == 0 || g_strcmp0(status, "deleted") == 0 ||
        g_strcmp0(status, "ceased") == 0)
        cf_sim_qingcloud_plan_end(sim, record, status);
}

void
cf_sim_qingcloud_populate(CfSim *sim)
{
    if (sim->options.demo) {
        cf_sim_qingcloud_populate_demo(sim);
    } else {
        for (guint i = 0; i < sim->options.images; i++)
            add_generated(sim, CF_SIM_IMAGES, i);
        for (guint i = 0; i < sim->options.servers; i++)
            add_generated(sim, CF_SIM_SERVERS, i);
    }
    sim->made = (guint64) 1 << 32; /* records made later never get the id of a generated one */
}
