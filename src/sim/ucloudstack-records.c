/* Records of the generated UCloudStack: as documented, the same for the same seed and index. What
 * the document calls optional is missing here and there, and what it types now as a number, now as
 * a string, comes both ways. */
#include "sim/ucloudstack.h"

#define SALT_IDS 0x75636c64
#define FIRST_TIME 1672531200 /* 2023 */

static const struct {
    const char *name, *os, *type, *distribution, *arch;
} systems[] = {
    {"CentOS 7.4 64位", "CentOS 7.4 x86_64", "Linux", "Centos", "x86_64"},
    {"Ubuntu 20.04 64位", "Ubuntu 20.04 x86_64", "Linux", "Ubuntu", "x86_64"},
    {"Windows 2016 64位", "Windows 2016 x86_64", "Windows", "Windows", "x86_64"},
    {"Kylin V10 arm64", "Kylin V10 aarch64", "Kylin", "Kylin", "aarch64"},
};

/* What a hundred servers are doing. */
typedef struct {
    guint upto;
    const char *state;
} Share;

static const Share states[] = {
    {60, "Running"},   {84, "Stopped"},     {86, "Failed"},      {88, "Starting"},
    {90, "Stopping"},  {91, "Restarting"},  {92, "Poweroffing"}, {94, "Reinstalling"},
    {96, "Migrating"}, {97, "Terminating"}, {98, "Terminated"},  {100, "Deleted"},
};
static const Share first_states[] = {
    {60, "Running"},       {84, "Stopped"},      {86, "Initializing"}, {88, "Starting"},
    {89, "Stopping"},      {90, "Restarting"},   {91, "Poweroffing"},  {92, "Resizing"},
    {94, "WaitReinstall"}, {95, "Reinstalling"}, {96, "Migrating"},    {98, "ChangeSGing"},
    {99, "Terminating"},   {100, "Terminated"},
};

static const struct {
    guint cpus, memory;
} sizes[] = {{1, 1024}, {2, 4096}, {4, 8192}, {8, 16384}, {16, 65536}};

static const char *const roles[] = {"web", "db", "cache", "queue", "build", "mail", "log", "网关"};
static const char *const charges[] = {"Dynamic", "Month", "Year"};

void
cf_sim_ucloud_id(CfSim *sim, CfSimKind kind, guint64 index, GString *out)
{
    guint64 chance = cf_sim_mix(sim->options.seed ^ ((guint64) SALT_IDS << 32), index * 4 + kind);

    /* The index keeps them apart, the rest looks like one of theirs. */
    g_string_append_printf(out,
                           kind == CF_SIM_SERVERS ? "vm-%07" G_GINT64_MODIFIER "x%05x"
                                                  : "image-%07" G_GINT64_MODIFIER "x%05x",
                           index, (guint) chance & 0xfffff);
}

/* Every sixteenth belongs to another tenant; every thirteenth is written as a string. */
static void
append_owner(guint64 index, GString *out)
{
    guint company = CF_SIM_UCLOUD_COMPANY + (index % 16 == 15 ? 333 : 0);
    const char *quote = index % 13 == 6 ? "\"" : "";

    g_string_append_printf(out,
                           "\"Region\":\"%s\",\"CompanyID\":%s%u%s,\"Email\":\"tenant-%u@"
                           "example.com\"",
                           CF_SIM_UCLOUD_REGION, quote, company, quote, company % 1000);
    if (index % 11 != 4)
        g_string_append_printf(out, ",\"ProjectID\":\"org-%u\",\"ProjectName\":\"%s\"",
                               (guint) (index % 3), index % 3 ? "生产" : "default");
}

static const char *
pick_state(CfSim *sim, guint roll)
{
    const Share *share = sim->options.api_version == 1 ? first_states : states;

    while (share->upto <= roll)
        share++;
    return share->state;
}

static void
append_disks(guint64 index, guint64 *random, GString *out)
{
    guint n = (guint) (cf_sim_random(random) % 4);

    g_string_append_printf(
        out,
        ",\"DiskInfos\":[{\"Type\":\"Boot\",\"DiskID\":\"disk-%07" G_GINT64_MODIFIER
        "xb\",\"Name\":\"boot\",\"Drive\":\"vda\",\"Size\":%u,\"IsElastic\":"
        "\"N\",\"StorageSetType\":\"StorageNormal\"}",
        index, 40 + 20 * (guint) (cf_sim_random(random) % 4));
    for (guint i = 0; i < n; i++)
        g_string_append_printf(out,
                               ",{\"Type\":\"Data\",\"DiskID\":\"disk-%07" G_GINT64_MODIFIER
                               "x%u\",\"Name\":\"data %u\",\"Drive\":\"vd%c\",\"Size\":%u,"
                               "\"IsElastic\":\"Y\",\"StorageSetType\":\"StorageSSD\"}",
                               index, i, i, 'b' + i, 100 * (i + 1));
    g_string_append_c(out, ']');
}

static void
append_address(guint64 index, gboolean public, GString *out)
{
    g_autofree char *ip =
        g_strdup_printf(public ? "198.%u.%u.%u" : "10.%u.%u.%u",
                        (public ? 18 : 1) + ((guint) (index >> 16) & (public ? 1 : 0xf)),
                        (guint) (index >> 8) & 0xff, (guint) index & 0xff);

    g_string_append_printf(
        out,
        "{\"IP\":\"%s\",\"Type\":\"%s\",\"IPVersion\":\"IPv4\",\"InterfaceID\":\"nic-%"
        "07" G_GINT64_MODIFIER
        "x\",\"SGID\":\"sg-%u\",\"SGName\":\"%s\",\"IsElastic\":\"%s\",\"IsVIP\":"
        "\"N\",\"IPID\":\"%s\",\"ISDefaultGW\":%d,\"NicType\":\"%s\"}",
        ip, public ? "Public" : "Private", index, (guint) (index % 3), index % 3 ? "web" : "默认",
        public ? "Y" : "N", public ? "eip-1" : "", public, public ? "WAN" : "LAN");
}

static void
append_addresses(guint64 index, guint64 *random, GString *out)
{
    guint roll = (guint) (cf_sim_random(random) % 8);

    if (roll == 0) {
        g_string_append(out, ",\"IPInfos\":null");
        return;
    }
    g_string_append(out, ",\"IPInfos\":[");
    append_address(index, FALSE, out);
    if (roll < 3) {
        g_string_append_c(out, ',');
        append_address(index, TRUE, out);
    } else if (roll == 3) {
        g_string_append_printf(out,
                               ",{\"IP\":\"2001:db8::%x\",\"Type\":\"Private\",\"IPVersion\":"
                               "\"IPv6\",\"IsElastic\":\"N\",\"NicType\":\"LAN\"}",
                               (guint) index & 0xffff);
    }
    g_string_append_c(out, ']');
}

static void
append_network(guint64 index, GString *out)
{
    guint vpc = (guint) (index % 4);

    g_string_append_printf(out,
                           ",\"VPCID\":\"vpc-%u\",\"VPCName\":\"%s\",\"SubnetID\":\"subnet-%u\","
                           "\"SubnetName\":\"net-%u\"",
                           vpc, vpc ? "prod" : "办公", vpc * 2 + (guint) (index / 4 % 2), vpc);
}

/* What it runs, and where. */
static void
append_image(CfSim *sim, guint64 index, guint64 *random, GString *out)
{
    guint64 image = cf_sim_random(random) % MAX(sim->options.images, 1);
    guint system = (guint) (image % G_N_ELEMENTS(systems));

    if (cf_sim_random(random) % 50 == 0)
        image += 1000000; /* an image that is gone */
    g_string_append(out, ",\"ImageID\":\"");
    cf_sim_ucloud_id(sim, CF_SIM_IMAGES, image, out);
    g_string_append_printf(out,
                           "\",\"BasicImageName\":\"%s\",\"OSName\":\"%s\",\"OSType\":\"%s\","
                           "\"SetID\":\"set-%u\",\"SetArch\":\"%s\"",
                           systems[system].name, systems[system].os, systems[system].type,
                           (guint) (index % 5), systems[system].arch);
    if (index % 9)
        g_string_append_printf(out, ",\"HostIP\":\"172.16.0.%u\"", (guint) (index % 40) + 1);
}

static void
append_times(guint64 index, guint64 *random, GString *out)
{
    guint created = FIRST_TIME + (guint) (cf_sim_random(random) % (365 * 86400));
    const char *charge = charges[index % G_N_ELEMENTS(charges)];

    g_string_append_printf(out,
                           ",\"CreateTime\":%u,\"UpdateTime\":%u,\"ExpireTime\":%u,"
                           "\"ChargeType\":\"%s\"",
                           created, index % 10 == 7 ? 0 : created + 3600,
                           index % 3 ? created + 4 * 365 * 86400 : 0, charge);
}

static char *
make_server(CfSim *sim, guint64 index)
{
    guint64 random = cf_sim_mix(sim->options.seed, index * 2);
    GString *out = g_string_sized_new(2048);
    guint role = (guint) (cf_sim_random(&random) % G_N_ELEMENTS(roles));
    guint size = (guint) (cf_sim_random(&random) % G_N_ELEMENTS(sizes));
    const char *state = pick_state(sim, (guint) (cf_sim_random(&random) % 100));
    char *text;

    g_string_append_c(out, '{');
    append_owner(index, out);
    g_string_append(out, ",\"RegionAlias\":\"华北\",\"VMID\":\"");
    cf_sim_ucloud_id(sim, CF_SIM_SERVERS, index, out);
    g_string_append_printf(out, "\",\"Name\":\"%s-%06u\",\"State\":\"%s\"", roles[role],
                           (guint) (index % 1000000), state);
    if (index % 5)
        g_string_append_printf(out, ",\"Remark\":\"%s\"",
                               index % 5 == 1 ? "" : "server of the simulator");
    g_string_append_printf(out,
                           ",\"VMType\":\"%s\",\"VMTypeAlias\":\"%s\",\"CPU\":%u,\"Memory\":%u,"
                           "\"GPU\":%u",
                           size == 4 ? "ComputeSetSSD" : "ComputeSetHDD",
                           size == 4 ? "高性能" : "普通", sizes[size].cpus, sizes[size].memory,
                           size == 4);
    append_image(sim, index, &random, out);
    append_disks(index, &random, out);
    append_addresses(index, &random, out);
    append_network(index, out);
    append_times(index, &random, out);
    g_string_append(out,
                    ",\"CPUUtilization\":1.5,\"MemUsage\":20.25,\"SpaceUsage\":0,\"CanLogin\":"
                    "true,\"SupportHotplug\":\"Y\",\"ImagePreparePrecent\":100,\"Reason\":\"\"}");
    text = g_strndup(out->str, out->len);
    g_string_free(out, TRUE);
    return text;
}

static const char *
image_status(guint64 index)
{
    switch (index % 24) {
    case 9:
        return "used";
    case 15:
        return "Uploading";
    case 21:
        return "Failed";
    case 23:
        return "Terminating";
    default:
        return "Used";
    }
}

/* The second generation's services say the name in one member, in the other, or in both. */
static void
append_image_name(guint64 index, const char *name, GString *out)
{
    if (index % 8 != 5)
        g_string_append_printf(out, ",\"Name\":\"%s_%03u\"", name, (guint) (index % 1000));
    if (index % 8 >= 5)
        g_string_append_printf(out, ",\"ImageName\":\"%s_%03u\"", name, (guint) (index % 1000));
}

static char *
make_image(CfSim *sim, guint64 index)
{
    guint system = (guint) (index % G_N_ELEMENTS(systems));
    gboolean custom = index % 2 == 1;
    GString *out = g_string_sized_new(512);
    guint created = FIRST_TIME + (guint) (index % 1000) * 86400;

    g_string_append_c(out, '{');
    append_owner(index, out);
    g_string_append(out, ",\"ImageID\":\"");
    cf_sim_ucloud_id(sim, CF_SIM_IMAGES, index, out);
    g_string_append_c(out, '"');
    append_image_name(index, custom ? "golden" : systems[system].name, out);
    if (index % 3)
        g_string_append_printf(out, ",\"ImageDescription\":\"image %u\"", (guint) index);
    g_string_append_printf(out,
                           ",\"ImageSize\":%u,\"ImageType\":\"%s\",\"OSType\":\"%s\",\"OSName\":"
                           "\"%s\",\"SetArch\":\"%s\",\"OSDistribution\":\"%s\",\"ImageStatus\":"
                           "\"%s\",\"CreateTime\":%u,\"UpdateTime\":%u",
                           20 + 20 * (guint) (index % 4), custom ? "Custom" : "Base",
                           systems[system].type, systems[system].os, systems[system].arch,
                           systems[system].distribution, image_status(index), created,
                           created + 3600);
    if (index % 5 != 2)
        g_string_append_printf(out,
                               ",\"CanVGPU\":false,\"RegionAlias\":\"华北\",\"Reason\":\"\","
                               "\"SupportHotplug\":\"Y\",\"Remarkable\":%s",
                               custom || index % 4 == 0 ? "true" : "false");
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

char *
cf_sim_ucloud_make(CfSim *sim, CfSimKind kind, guint64 index)
{
    return kind == CF_SIM_SERVERS ? make_server(sim, index) : make_image(sim, index);
}
