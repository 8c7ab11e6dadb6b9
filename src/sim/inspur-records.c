/* Records of the generated world: plain, documented, the same for the same seed and index. */
#include "sim/inspur.h"

#define SALT_IMAGE_ID 0x696d6167
#define SALT_SERVER_ID 0x73657276
#define SALT_OTHER_ID 0x6f746865

static const struct {
    const char *name, *system, *type;
} systems[] = {
    {"centos7.6_x86_64", "centos7.6", "linux"}, {"ubuntu20.04_x86_64", "ubuntu20.04", "linux"},
    {"debian10_x86_64", "debian10", "linux"},   {"windows2016_x64_cn", "windows2016", "windows"},
    {"kylin_v10_arm64", "kylinv10", "linux"},   {"inspur_kos5.8", "kos5.8", "linux"},
};

static const struct {
    const char *name;
    guint vcpus, ram, disk;
} flavors[] = {
    {"s1.small.1", 1, 1024, 40},    {"s1.medium.2", 2, 4096, 50},   {"s1.large.2", 4, 8192, 50},
    {"s1.xlarge.2", 8, 16384, 100}, {"m1.xlarge.4", 8, 32768, 100}, {"c1.2xlarge.1", 16, 16, 200},
};

/* What a hundred servers are doing, in the cases in which clouds write it. */
static const struct {
    guint upto;
    const char *status, *task;
} states[] = {
    {40, "ACTIVE", NULL},   {62, "active", NULL},        {70, "Active", NULL},
    {84, "SHUTOFF", NULL},  {90, "shutoff", NULL},       {92, "ERROR", NULL},
    {93, "PAUSED", NULL},   {94, "STOPPED", NULL},       {95, "BUILD", "spawning"},
    {96, "RESIZE", NULL},   {97, "SHUTOFF", "deleting"}, {98, "REBUILD", NULL},
    {99, "PASSWORD", NULL}, {100, "SOFT_DELETED", NULL},
};

static const char *const roles[] = {"web", "db", "cache", "queue", "build", "mail", "log", "gw"};
static const char *const zones[] = {"cn-north-3a", "cn-north-3b", "nova"};
static const char *const vpcs[] = {"vpc-prod", "vpc-test", "vpc-办公"};

static void
append_uuid(GString *out, guint64 high, guint64 low)
{
    g_string_append_printf(out, "%08x-%04x-4%03x-%04x-%04x%08x", (guint) (high >> 32),
                           (guint) (high >> 16) & 0xffff, (guint) high & 0xfff,
                           ((guint) (low >> 48) & 0x3fff) | 0x8000, (guint) (low >> 32) & 0xffff,
                           (guint) low);
}

static void
append_id(CfSim *sim, guint64 salt, guint64 index, GString *out)
{
    guint64 high = cf_sim_mix(sim->options.seed ^ (salt << 32), index);

    append_uuid(out, high, cf_sim_mix(high, index));
}

void
cf_sim_inspur_image_id(CfSim *sim, guint64 index, GString *out)
{
    append_id(sim, SALT_IMAGE_ID, index, out);
}

void
cf_sim_inspur_server_id(CfSim *sim, guint64 index, GString *out)
{
    append_id(sim, SALT_SERVER_ID, index, out);
}

static void
append_other_id(CfSim *sim, guint64 number, GString *out)
{
    append_id(sim, SALT_OTHER_ID, number, out);
}

static void
append_state(guint64 index, guint64 *random, GString *out)
{
    guint roll = (guint) (cf_sim_random(random) % 100);
    guint i = 0;

    while (states[i].upto <= roll)
        i++;
    g_string_append_printf(out, ",\"status\":\"%s\",\"task_state\":", states[i].status);
    cf_sim_raw_quote(out, states[i].task);
}

static void
append_image(CfSim *sim, guint64 *random, GString *out)
{
    guint64 n = MAX(sim->options.images, 1);
    guint64 image = cf_sim_random(random) % n;
    guint system = image % G_N_ELEMENTS(systems);

    if (cf_sim_random(random) % 50 == 0)
        image += 1000000; /* an image that is gone */
    g_string_append(out, ",\"image\":{\"id\":\"");
    cf_sim_inspur_image_id(sim, image, out);
    g_string_append_printf(out,
                           "\",\"name\":\"%s\",\"system\":\"%s\",\"systemType\":\"%s\","
                           "\"tags\":[\"ECS\",\"%s\"]}",
                           systems[system].name, systems[system].system, systems[system].type,
                           systems[system].type);
}

static void
append_disks(CfSim *sim, guint64 index, guint64 *random, GString *out)
{
    guint n = (guint) (cf_sim_random(random) % 5);

    g_string_append_printf(out, ",\"root_volume\":{\"volumetype\":\"SATA\",\"size\":%u}",
                           40 + 10 * (guint) (cf_sim_random(random) % 4));
    if (n == 4) {
        g_string_append(out, ",\"data_volumes\":null");
        return;
    }
    if (n == 3)
        return;
    g_string_append(out, ",\"data_volumes\":[");
    for (guint i = 0; i < n; i++) {
        g_string_append_printf(out, "%s{\"volumetype\":\"%s\",\"volumeid\":\"", i ? "," : "",
                               i ? "SSD" : "SATA");
        append_other_id(sim, index * 16 + i, out);
        g_string_append_printf(out, "\",\"volumename\":\"data-%u\",\"size\":%u}", i, 100 * (i + 1));
    }
    g_string_append_c(out, ']');
}

static void
append_flavor(guint64 *random, GString *out)
{
    guint i = (guint) (cf_sim_random(random) % G_N_ELEMENTS(flavors));

    g_string_append_printf(
        out,
        ",\"flavor\":{\"disk\":%u,\"ephemeral\":0,\"extra_specs\":{\"hw:cpu_policy\":\"dedicated\","
        "\"hw:mem_page_size\":\"2048\"},\"original_name\":\"%s\",\"ram\":%u,\"swap\":0,"
        "\"vcpus\":%u}",
        flavors[i].disk, flavors[i].name, flavors[i].ram, flavors[i].vcpus);
}

static void
append_network(CfSim *sim, guint64 index, guint64 *random, GString *out)
{
    guint vpc = (guint) (cf_sim_random(random) % G_N_ELEMENTS(vpcs));
    guint nics = cf_sim_random(random) % 20 == 0 ? 2 : 1;

    g_string_append(out, ",\"security_groups\":[{\"name\":\"default\"}");
    if (vpc == 0)
        g_string_append(out, ",{\"name\":\"sg_web\"}");
    g_string_append(out, "],\"vpcid\":\"");
    append_other_id(sim, ((guint64) 1 << 40) + vpc, out);
    g_string_append_printf(out, "\",\"vpcname\":\"%s\",\"nics\":[", vpcs[vpc]);
    for (guint i = 0; i < nics; i++) {
        g_string_append_printf(out, "%s{\"subnet_id\":\"", i ? "," : "");
        append_other_id(sim, ((guint64) 2 << 40) + vpc * 2 + i, out);
        g_string_append_printf(out,
                               "\",\"subnet_name\":\"net-%u\",\"subnet_cidr\":\"10.%u.0.0/16\","
                               "\"network_id\":\"",
                               i, 16 * i + vpc);
        append_other_id(sim, ((guint64) 3 << 40) + vpc, out);
        g_string_append_printf(
            out, "\",\"mac_address\":\"fa:16:3e:%02x:%02x:%02x\",\"fixed_ip\":\"10.%u.%u.%u\",",
            (guint) (index >> 16) & 0xff, (guint) (index >> 8) & 0xff, (guint) index & 0xff,
            16 * i + vpc + 3 * (guint) ((index >> 16) & 0xf), (guint) (index >> 8) & 0xff,
            (guint) index & 0xff);
        g_string_append(out, "\"portid\":\"");
        append_other_id(sim, ((guint64) 4 << 40) + index * 2 + i, out);
        g_string_append(out, "\"}");
    }
    g_string_append_c(out, ']');
}

static void
append_eip(CfSim *sim, guint64 index, guint64 *random, GString *out)
{
    guint roll = (guint) (cf_sim_random(random) % 4);

    if (roll == 0)
        return;
    if (roll == 1) {
        g_string_append(out, ",\"eip\":null");
        return;
    }
    g_string_append(out, ",\"eip\":{\"eipid\":\"");
    append_other_id(sim, ((guint64) 5 << 40) + index, out);
    g_string_append_printf(out,
                           "\",\"iptype\":\"5_bgp\",\"bandwidth\":%u,\"chargemode\":\"Bandwidth\","
                           "\"ip_addr\":\"%u.%u.%u.%u\"}",
                           5 * roll, 198, 18 + ((guint) (index >> 16) & 1),
                           (guint) (index >> 8) & 0xff, (guint) index & 0xff);
}

static void
append_fee(guint64 *random, GString *out)
{
    guint roll = (guint) (cf_sim_random(random) % 10);

    if (roll == 0)
        return;
    if (roll == 1)
        g_string_append(out, ",\"feeData\":null");
    else
        g_string_append_printf(out,
                               ",\"feeData\":{\"chargetype\":\"%s\",\"startFeeTime\":"
                               "\"2023-%02u-01 08:00:00\",\"nextFeeTime\":\"2027-%02u-01 "
                               "08:00:00\"}",
                               roll < 6 ? "prePaid" : "monthly", roll, roll);
}

static char *
make_server(CfSim *sim, guint64 index)
{
    guint64 random = cf_sim_mix(sim->options.seed, index * 2);
    GString *out = g_string_sized_new(2048);
    guint role = (guint) (cf_sim_random(&random) % G_N_ELEMENTS(roles));
    guint minute = (guint) (cf_sim_random(&random) % (365 * 1440));
    char *text;

    g_string_append_printf(
        out, "{\"%s\":\"cn-north-3\",\"availability_zone\":\"%s\",\"name\":\"%s-%06u\",\"id\":\"",
        index % 16 == 5 ? "regionId" : "regionID", zones[index % G_N_ELEMENTS(zones)], roles[role],
        (guint) (index % 1000000));
    cf_sim_inspur_server_id(sim, index, out);
    g_string_append_c(out, '"');
    append_state(index, &random, out);
    append_image(sim, &random, out);
    append_disks(sim, index, &random, out);
    append_flavor(&random, out);
    append_network(sim, index, &random, out);
    append_eip(sim, index, &random, out);
    if (index % 7 == 3)
        g_string_append(out, ",\"key_name\":null");
    else if (index % 7 != 4)
        g_string_append_printf(out, ",\"key_name\":\"sshkey-%u\"", (guint) (index % 7));
    append_fee(&random, out);
    g_string_append_printf(out, ",\"created\":\"2023-%02u-%02uT%02u:%02u:%02uZ\"",
                           1 + minute / 1440 / 31, 1 + minute / 1440 % 28, minute / 60 % 24,
                           minute % 60, (guint) (index % 60));
    if (index % 9)
        g_string_append_printf(out,
                               ",\"hostId\":\"%016" G_GINT64_MODIFIER "x\",\"host\":"
                               "\"node-%03u\"",
                               cf_sim_mix(9, index % 40), (guint) (index % 40));
    g_string_append_c(out, '}');
    text = g_strndup(out->str, out->len);
    g_string_free(out, TRUE);
    return text;
}

static char *
make_image(CfSim *sim, guint64 index)
{
    guint system = (guint) (index % G_N_ELEMENTS(systems));
    gboolean private = index % 2 == 1;
    g_autoptr(GString) id = g_string_new(NULL);
    GString *out = g_string_sized_new(1024);
    const char *status = "active";

    if (index % 12 == 9)
        status = "ACTIVE";
    else if (index % 12 == 11)
        status = "killed";
    cf_sim_inspur_image_id(sim, index, id);
    g_string_append_printf(out, "{\"id\":\"%s\",\"name\":\"%s", id->str, systems[system].name);
    if (private)
        g_string_append_printf(out, "_%04u", (guint) (index % 10000));
    else if (index >= G_N_ELEMENTS(systems))
        g_string_append_printf(out, "_r%u", (guint) (index / G_N_ELEMENTS(systems)) % 10000);
    g_string_append_printf(out,
                           "\",\"tags\":[\"%s\",\"ECS\"],\"status\":\"%s\",\"checksum\":"
                           "\"%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x\","
                           "\"owner\":\"35ee734f83814f039084c9b55228e671\","
                           "\"visibility\":\"%s\",\"size\":%" G_GUINT64_FORMAT ",",
                           systems[system].type, status, cf_sim_mix(1, index), cf_sim_mix(2, index),
                           private ? "private" : "public", 1257963520 + index * 1048576);
    g_string_append_printf(out,
                           "\"locations\":[{\"url\":\"rbd://ff140a2b/images/%s/snap\","
                           "\"metadata\":{}}],\"self\":\"/v2/images/%s\",\"file\":"
                           "\"/v2/images/%s/file\",\"schema\":\"/v2/schemas/image\",",
                           id->str, id->str, id->str);
    if (index % 3)
        g_string_append_printf(out, "\"description\":\"image %u\",", (guint) index);
    g_string_append_printf(
        out,
        "\"system\":\"%s\",\"systemType\":\"%s\",\"container_format\":\"bare\","
        "\"disk_format\":\"%s\",\"created_at\":\"2018-09-%02uT12:14:25.000+0000\""
        ",\"updated_at\":\"2018-09-%02uT13:40:22.000+0000\",\"min_disk\":%u,"
        "\"min_ram\":0,\"protected\":%s,\"direct_url\":"
        "\"rbd://ff140a2b/images/%s/snap\"}",
        systems[system].system, systems[system].type, private ? "raw" : "qcow2",
        (guint) (1 + index % 28), (guint) (1 + index % 28), private ? 40 : 0,
        index % 10 == 8 ? "\"true\"" : "false", id->str);
    return g_string_free(out, FALSE);
}

char *
cf_sim_inspur_make(CfSim *sim, CfSimKind kind, guint64 index)
{
    return kind == CF_SIM_SERVERS ? make_server(sim, index) : make_image(sim, index);
}

GPtrArray *
cf_sim_inspur_make_tags(CfSim *sim, guint64 index)
{
    static const char *const words[] = {"ECS", "prod", "team-a", "备份"};
    GPtrArray *tags;

    if (index % 4 == 0)
        return NULL;
    tags = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < index % 4; i++)
        g_ptr_array_add(tags, g_strdup(words[(index + i) % G_N_ELEMENTS(words)]));
    return tags;
}
