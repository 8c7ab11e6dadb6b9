#include "test-sim-ucloudstack.h"

/* ---- Who may ---- */

#define U1_KEY "tcgX3Xi_mAKpQayggnVLWzerkWB_fH1KXuk05hUrus8KSziLVyjWXwKZ80FOOldC"
#define U1_PUBLIC "1UxDcqTHEGGGviQFqlt870EbLuaSJPZOB8hZ74tL"
#define U2_KEY "46f09bb9fab4f12dfc160dae12273d5332b5debe"
#define U2_PUBLIC "ucloudsomeone@example.com1296235120854146120"
#define U2                                                                                         \
    "Action|CreateUHostInstance|CPU|2|ChargeType|Month|DiskSpace|10|ImageId|"                      \
    "f43736e1-65a5-4bea-ad2e-8a46e18883c2|LoginMode|Password|Memory|2048|Name|Host01|Password|"    \
    "VUNsb3VkLmNu|PublicKey|" U2_PUBLIC "|Quantity|1|Region|cn-bj2|Zone|cn-bj2-04"

/* The vectors of the fact sheet, those of the vendor first. */
static void
test_vectors(void)
{
    static const struct {
        const char *key, *signature, *params; /* params: names and values in turn */
    } cases[] = {
        {U1_KEY, "2d86e5b4186ac6e42b628f258a7037c7636c9a81",
         "Action|DescribeVMInstance|Limit|20|Offset|0|PublicKey|" U1_PUBLIC},
        {U2_KEY, "4f9ef5df2abab2c6fccd1e9515cb7e2df8c6bb65", U2},
        {U2_KEY, "170c480ad176a247b324eb92a2cfe536aacfbd04", "SecurityToken|some_stoken|" U2},
        {U2_KEY, "6bc32642779f8cb0bb3d3f128b1c0688abf9a1a3",
         "Action|AllocateBackendBatch|PublicKey|" U2_PUBLIC
         "|Backends.0|foo|Backends.1|bar|Backends.2|42|Backends.3|foo|Backends.4|bar|Backends.5|42"
         "|Backends.6|foo|Backends.7|bar|Backends.8|42|Backends.9|foo|Backends.10|bar"
         "|Backends.11|42"},
        {"my_private_key", "634edc1bb957c0d65e5ab5494cf3b7784fbc87af", "foo|bar"},
        {"my_private_key", "d4411ab30953fb0bbcb1e7313081f05e4e91a394",
         "foo|bar|PublicKey|my_public_key"},
        {U1_KEY, "a92ca5d6903779f8f9fd3eaa8c59b79a133bbb70",
         "Action|DescribeImage|ImageIDs.0|image-aaa|ImageIDs.1|image-bbb|ImageType|Custom|Limit|100"
         "|Offset|0|PublicKey|" U1_PUBLIC "|Region|cn"},
        {U1_KEY, "dcb43a3a4e8d13d6fa64eb5b09ae06484735e18c",
         "Action|ModifyNameAndRemark|Name|web 01 测试|PublicKey|" U1_PUBLIC
         "|Region|cn|Remark|a=b&c+d|ResourceID|vm-0001"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) texts = g_strsplit(cases[i].params, "|", -1);
        g_autoptr(GPtrArray) params = g_ptr_array_new();
        g_autofree char *signature = NULL;

        for (guint j = 0; texts[j]; j++)
            g_ptr_array_add(params, texts[j]);
        g_ptr_array_add(params, (gpointer) "Signature"); /* never signed itself */
        g_ptr_array_add(params, (gpointer) "whatever");
        signature = cf_sim_ucloud_sign(params, cases[i].key);
        g_assert_cmpstr(signature, ==, cases[i].signature);
    }
}

/* Leaves a parameter out. */
static void
drop(GPtrArray *params, const char *name)
{
    for (guint i = 0; i < params->len; i += 2) {
        if (strcmp(g_ptr_array_index(params, i), name) == 0) {
            g_ptr_array_remove_range(params, i, 2);
            return;
        }
    }
}

/* The code of a request that lacks a parameter, signed with these keys. */
static guint
code_without(CfSim *sim, const char *missing, const char *public_key, const char *private_key)
{
    g_autoptr(GPtrArray) params = action("DescribeVMInstance");
    g_autoptr(Reply) reply = NULL;

    if (missing)
        drop(params, missing);
    sign(params, public_key, private_key);
    if (missing)
        drop(params, missing);
    reply = post(sim, params);
    g_assert_cmpuint(reply->status, ==, 200);
    return (guint) number(reply, "RetCode");
}

static void
test_credentials(void)
{
    static const struct {
        const char *missing, *public_key, *private_key;
        guint code, first_code;
    } cases[] = {
        {NULL, PUBLIC_KEY, PRIVATE_KEY, 0, 0},
        {NULL, PUBLIC_KEY, "fake_other_key", 109, 171},
        {NULL, PUBLIC_KEY, "", 109, 171},
        {NULL, "fake-other-public", PRIVATE_KEY, 109, 171},
        {"Signature", PUBLIC_KEY, PRIVATE_KEY, 104, 170},
        {"PublicKey", PUBLIC_KEY, PRIVATE_KEY, 103, 170},
        {"Action", PUBLIC_KEY, PRIVATE_KEY, 101, 154},
        {"Region", PUBLIC_KEY, PRIVATE_KEY, 102, 229},
    };
    g_autoptr(CfSim) sim = start(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        speak(sim, 2);
        g_assert_cmpuint(
            code_without(sim, cases[i].missing, cases[i].public_key, cases[i].private_key), ==,
            cases[i].code);
        speak(sim, 1);
        g_assert_cmpuint(
            code_without(sim, cases[i].missing, cases[i].public_key, cases[i].private_key), ==,
            cases[i].first_code);
    }
}

static void
test_request_forms(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(GPtrArray) params = action("DescribeVMInstance");
    g_autofree char *query = NULL, *get = NULL, *beside = NULL, *other = NULL;
    g_autoptr(Reply) got = NULL, posted = NULL, unsigned_ = NULL, root = NULL, plain = NULL;
    g_autoptr(Reply) tampered = NULL;

    add_server(sim, "vm-a", "Running", NULL);
    add_server(sim, "vm-b", "Running", NULL);
    add_pair(params, "Keyword", "a=b&c+d 测试");
    sign(params, PUBLIC_KEY, PRIVATE_KEY);
    query = encode(params);
    get = g_strconcat("/api?", query, NULL);
    got = call(sim, "GET", get, NULL);
    assert_count(got, 0, 0);
    beside = g_strdup("/api/?Action=DescribeVMInstance"); /* as the vendor's libraries do */
    posted = call_with(sim, "POST", beside, FORM, query);
    assert_count(posted, 0, 0);
    root = call_with(sim, "POST", "/", FORM, query);
    assert_count(root, 0, 0);
    plain = call(sim, "POST", "/api", query); /* a body that is not said to be a form */
    assert_code(plain, 101);
    unsigned_ = call_with(sim, "POST", "/api?Keyword=vm-b", FORM, query); /* it has no say */
    assert_count(unsigned_, 0, 0);
    other = g_strconcat(query, "&Limit=1", NULL);
    tampered = call_with(sim, "POST", "/api", FORM, other);
    assert_code(tampered, 109);
}

static void
without_keys(CfSimOptions *options)
{
    options->access_key = NULL;
    options->secret_key = NULL;
}

static void
test_no_credentials(void)
{
    g_autoptr(CfSim) sim = start(without_keys);
    g_autoptr(Reply) reply = call(sim, "GET", "/api?Action=DescribeVMInstance&Region=cn", NULL);

    assert_count(reply, 0, 0);
}

static void
test_regions_and_referer(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(GPtrArray) elsewhere = action("DescribeImage");
    g_autoptr(GPtrArray) nowhere = action("DescribeRegion");
    g_autoptr(Reply) regions = NULL, wrong = NULL, wrong_first = NULL, refused = NULL, good = NULL;
    g_autofree char *body = NULL;

    drop(nowhere, "Region");
    sign(nowhere, PUBLIC_KEY, PRIVATE_KEY);
    regions = post(sim, nowhere);
    assert_code(regions, 0);
    g_assert_cmpstr(text(regions, "TotalCount"), ==, "1"); /* typed a string */
    g_assert_cmpstr(text(regions, "Infos.0.Region"), ==, "cn");
    drop(elsewhere, "Region");
    add_pair(elsewhere, "Region", "mars");
    sign(elsewhere, PUBLIC_KEY, PRIVATE_KEY);
    wrong = post(sim, elsewhere);
    assert_code(wrong, 400);
    speak(sim, 1);
    wrong_first = post(sim, elsewhere);
    assert_code(wrong_first, 162);
    speak(sim, 2);
    admin(sim, "POST", "/_sim/settings", "{\"referer_needed\":true}");
    refused = post(sim, nowhere);
    assert_code(refused, 100);
    body = encode(nowhere);
    good = call_with(sim, "POST", "/api", FORM "Referer: http://localhost/api\r\n", body);
    assert_code(good, 0);
}

static void
test_unknown_action(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) second = ask(sim, "DanceVMInstance");
    g_autoptr(Reply) first = NULL, counters = NULL;

    assert_code(second, 110);
    g_assert_cmpstr(text(second, "Action"), ==, "DanceVMInstanceResponse");
    speak(sim, 1);
    first = ask(sim, "DanceVMInstance");
    assert_code(first, 140);
    counters = call(sim, "GET", "/_sim/counters", NULL);
    g_assert_cmpfloat(number(counters, "by.other"), ==, 2);
}

/* ---- Servers ---- */

static void
test_moves(void)
{
    static const struct {
        const char *action, *from, *under_way, *done;
    } moves[] = {
        {"StartVMInstance", "Stopped", "Starting", "Running"},
        {"StopVMInstance", "Running", "Stopping", "Stopped"},
        {"RestartVMInstance", "running", "Restarting", "Running"},
        {"PoweroffVMInstance", "Running", "Poweroffing", "Stopped"},
        {"PoweroffVMInstance", "Starting", "Poweroffing", "Stopped"},
        {"PoweroffVMInstance", "Stopping", "Poweroffing", "Stopped"},
        {"PoweroffVMInstance", "Restarting", "Poweroffing", "Stopped"},
    };
    g_autoptr(CfSim) sim = start_frozen();

    for (guint i = 0; i < G_N_ELEMENTS(moves); i++) {
        g_autofree char *id = g_strdup_printf("vm-%u", i);

        add_server(sim, id, moves[i].from, ",\"UpdateTime\":1");
        assert_move(sim, moves[i].action, id, 0);
        assert_state(sim, id, moves[i].under_way);
        advance(sim, 9999);
        assert_state(sim, id, moves[i].under_way);
        advance(sim, 1);
        assert_state(sim, id, moves[i].done);
        advance(sim, 60000);
        assert_state(sim, id, moves[i].done);
    }
    {
        g_autoptr(Reply) reply = ask(sim, "DescribeVMInstance", "VMIDs.0", "vm-0");

        g_assert_cmpfloat(number(reply, "Infos.0.UpdateTime"), >, 1700000000);
    }
}

/* A server that hangs while it stops is cut off; its stop does not come true afterwards. */
static void
test_power_off_overtakes(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "vm-a", "Stopped", NULL);
    assert_move(sim, "StartVMInstance", "vm-a", 0);
    advance(sim, 9000);
    assert_move(sim, "PoweroffVMInstance", "vm-a", 0);
    advance(sim, 1000);
    assert_state(sim, "vm-a", "Poweroffing");
    advance(sim, 9000);
    assert_state(sim, "vm-a", "Stopped");
    advance(sim, 60000);
    assert_state(sim, "vm-a", "Stopped");
}

/* What is refused in every state, and how; 0: it is done. */
static void
test_preconditions(void)
{
    static const char *const actions[] = {"StartVMInstance", "StopVMInstance", "PoweroffVMInstance",
                                          "RestartVMInstance", "GetVMVNCInfo"};
    static const guint refused[] = {1005, 1006, 1006, 1006, 1006};
    static const guint first_refused[] = {2011, 2011, 2011, 2015, 2015};
    static const struct {
        const char *state;
        gboolean permits[G_N_ELEMENTS(actions)];
    } cases[] = {
        {"Initializing", {0, 0, 0, 0, 0}}, {"Starting", {0, 0, 1, 0, 0}},
        {"Running", {0, 1, 1, 1, 1}},      {"Restarting", {0, 0, 1, 0, 0}},
        {"Stopping", {0, 0, 1, 0, 0}},     {"Poweroffing", {0, 0, 0, 0, 0}},
        {"Stopped", {1, 0, 0, 0, 0}},      {"Resizing", {0, 0, 0, 0, 0}},
        {"Reinstalling", {0, 0, 0, 0, 0}}, {"WaitReinstall", {0, 0, 0, 0, 0}},
        {"Migrating", {0, 0, 0, 0, 0}},    {"ChangeSGing", {0, 0, 0, 0, 0}},
        {"Terminating", {0, 0, 0, 0, 0}},  {"Terminated", {0, 0, 0, 0, 0}},
        {"Deleted", {0, 0, 0, 0, 0}},      {"Failed", {0, 0, 0, 0, 0}},
        {"pWeZsyga", {0, 0, 0, 0, 0}},
    };
    const guint n = G_N_ELEMENTS(actions);
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "vm-a", "Running", NULL);
    for (guint i = 0; i < 2 * n * G_N_ELEMENTS(cases); i++) {
        gboolean first = i % 2;
        guint j = i / 2 % n, k = i / 2 / n;
        guint code = first ? first_refused[j] : refused[j];
        g_autofree char *patch = g_strdup_printf("{\"State\":\"%s\"}", cases[k].state);

        speak(sim, first ? 1 : 2);
        admin(sim, "PATCH", "/_sim/servers/vm-a", patch);
        assert_move(sim, actions[j], "vm-a", cases[k].permits[j] ? 0 : code);
        if (!cases[k].permits[j])
            assert_state(sim, "vm-a", cases[k].state);
    }
}

static void
test_refusals(void)
{
    static const struct {
        const char *action, *name, *value; /* value: NULL: not sent */
        guint code, first_code;
    } cases[] = {
        {"StartVMInstance", "VMID", "vm-none", 1004, 2011},
        {"StopVMInstance", "VMID", "vm-none", 1004, 2011},
        {"PoweroffVMInstance", "VMID", "vm-none", 1004, 2011},
        {"RestartVMInstance", "VMID", "vm-none", 1004, 2011},
        {"GetVMVNCInfo", "VMID", "vm-none", 1004, 2006},
        {"StartVMInstance", "VMID", "", 3, 229},
        {"StartVMInstance", "VMID", NULL, 3, 229},
        {"GetVMVNCInfo", "VMID", NULL, 3, 229},
        {"DeleteCustomImage", "ImageID", NULL, 3, 229},
        {"DeleteCustomImage", "ImageID", "image-none", 1000, 2008},
        {"CreateCustomImage", "VMID", "vm-ok", 3, 229},         /* no ImageName */
        {"CreateCustomImage", "ImageName", "golden", 3, 229},   /* no VMID */
        {"ModifyNameAndRemark", "Name", "x", 3, 229},           /* no ResourceID */
        {"ModifyNameAndRemark", "ResourceID", "vm-ok", 3, 229}, /* no Name */
        {"StopVMInstance", "VMID", "vm-foreign", 114, 150},
        {"StopVMInstance", "VMID", "vm-unbilled", 23001, 160},
        {"StopVMInstance", "VMID", "vm-failing", 550, 100},
        {"GetVMVNCInfo", "VMID", "vm-failing", 550, 100},
        {"DescribeVMInstance", "Limit", "101", 113, 140},
        {"DescribeVMInstance", "Limit", "0", 113, 140},
        {"DescribeVMInstance", "Limit", "many", 4, 140},
        {"DescribeVMInstance", "Offset", "-1", 4, 140},
        {"DescribeImage", "ImageType", "Marketplace", 113, 140},
        {"DescribeImage", "CompanyID", "mine", 4, 140},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "vm-ok", "Running", NULL);
    add_server(sim, "vm-foreign", "Running", ",\"$flags\":{\"foreign\":true}");
    add_server(sim, "vm-unbilled", "Running", ",\"$flags\":{\"unbilled\":true}");
    add_server(sim, "vm-failing", "Running", ",\"$flags\":{\"failing\":true}");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *name = cases[i].value ? cases[i].name : NULL;
        g_autoptr(Reply) second = ask(sim, cases[i].action, name, cases[i].value);
        g_autoptr(Reply) first = NULL;

        assert_code(second, cases[i].code);
        speak(sim, 1);
        first = ask(sim, cases[i].action, name, cases[i].value);
        assert_code(first, cases[i].first_code);
        speak(sim, 2);
    }
}

static void
test_console(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) one = NULL, two = NULL;

    add_server(sim, "vm-a", "Running", NULL);
    one = ask(sim, "GetVMVNCInfo", "VMID", "vm-a");
    two = ask(sim, "GetVMVNCInfo", "VMID", "vm-a");
    assert_code(one, 0);
    g_assert_cmpstr(text(one, "Info.VMID"), ==, "vm-a");
    g_assert_cmpstr(text(one, "Info.VNCIP"), ==, "192.0.2.10");
    g_assert_cmpfloat(number(one, "Info.VNCPort"), >=, 5900);
    g_assert_true(g_str_has_prefix(text(one, "Info.VNCPassword"), "fake-"));
    g_assert_cmpstr(text(one, "Info.VNCPassword"), !=, text(two, "Info.VNCPassword"));
    g_assert_cmpfloat(number(one, "Info.VNCPort"), !=, number(two, "Info.VNCPort"));
}

/* ---- Images ---- */

/* The image that CreateCustomImage has made. */
static char *
capture(CfSim *sim, const char *vm)
{
    g_autoptr(Reply) made = ask(sim, "CreateCustomImage", "VMID", vm, "ImageName", "golden 1",
                                "ImageDescription", "base + agent");

    assert_code(made, 0);
    return g_strdup(text(made, "ImageID"));
}

static void
assert_image(CfSim *sim, const char *id, const char *status)
{
    g_autoptr(Reply) reply = ask(sim, "DescribeImage", "ImageIDs.0", id);

    assert_count(reply, 1, 1);
    g_assert_cmpstr(text(reply, "Infos.0.ImageID"), ==, id);
    g_assert_cmpstr(text(reply, "Infos.0.ImageStatus"), ==, status);
}

static void
test_image_is_made(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autofree char *id = NULL;
    g_autoptr(Reply) again = NULL, shown = NULL;

    add_server(sim, "vm-a", "Stopped",
               ",\"OSType\":\"Kylin\",\"DiskInfos\":[{\"Type\":\"Data\",\"Size\":500},"
               "{\"Type\":\"Boot\",\"Size\":60}]");
    id = capture(sim, "vm-a");
    assert_image(sim, id, "Making");
    assert_move(sim, "StartVMInstance", "vm-a", 1016);
    assert_move(sim, "StopVMInstance", "vm-a", 1016);
    again = ask(sim, "CreateCustomImage", "VMID", "vm-a", "ImageName", "again");
    assert_code(again, 1016);
    advance(sim, 9999);
    assert_image(sim, id, "Making");
    advance(sim, 1);
    assert_image(sim, id, "Used");
    shown = ask(sim, "DescribeImage", "ImageIDs.0", id);
    g_assert_cmpstr(text(shown, "Infos.0.Name"), ==, "golden 1");
    g_assert_cmpstr(text(shown, "Infos.0.ImageDescription"), ==, "base + agent");
    g_assert_cmpstr(text(shown, "Infos.0.ImageType"), ==, "Custom");
    g_assert_cmpstr(text(shown, "Infos.0.OSType"), ==, "Kylin");
    g_assert_cmpfloat(number(shown, "Infos.0.ImageSize"), ==, 60); /* of the system disk alone */
    assert_state(sim, "vm-a", "Stopped");
    assert_move(sim, "StartVMInstance", "vm-a", 0);
}

/* Only of a server that stands still. */
static void
test_image_needs_rest(void)
{
    static const char *const states[] = {"Running", "Starting", "Stopping", "Failed", "Terminated"};
    g_autoptr(CfSim) sim = start_frozen();

    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *id = g_strdup_printf("vm-%u", i);
        g_autoptr(Reply) second = NULL, first = NULL, images = NULL;

        add_server(sim, id, states[i], NULL);
        second = ask(sim, "CreateCustomImage", "VMID", id, "ImageName", "x");
        assert_code(second, 1014);
        speak(sim, 1);
        first = ask(sim, "CreateCustomImage", "VMID", id, "ImageName", "x");
        assert_code(first, 2005);
        speak(sim, 2);
        images = ask(sim, "DescribeImage");
        assert_count(images, 0, 0);
    }
}

static void
test_image_is_deleted(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) reply = NULL, again = NULL, gone = NULL;

    add_image(sim, "image-a", "Custom", NULL);
    reply = ask(sim, "DeleteCustomImage", "ImageID", "image-a");
    assert_code(reply, 0);
    assert_image(sim, "image-a", "Deleting");
    again = ask(sim, "DeleteCustomImage", "ImageID", "image-a");
    assert_code(again, 1001);
    advance(sim, 10000);
    gone = ask(sim, "DescribeImage", "ImageIDs.0", "image-a");
    assert_count(gone, 0, 0);
}

static void
test_image_is_kept(void)
{
    static const struct {
        const char *id;
        guint code, first_code;
    } cases[] = {
        {"image-base", 111, 178},    {"image-used", 1008, 2009},  {"image-making", 1001, 2007},
        {"image-foreign", 114, 150}, {"image-failing", 550, 100},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_image(sim, "image-base", "Base", NULL);
    add_image(sim, "image-used", "Custom", NULL);
    add_image(sim, "image-making", "Custom", ",\"ImageStatus\":\"Making\"");
    add_image(sim, "image-foreign", "Custom", ",\"$flags\":{\"foreign\":true}");
    add_image(sim, "image-failing", "Custom", ",\"$flags\":{\"failing\":true}");
    add_server(sim, "vm-a", "Running", ",\"ImageID\":\"image-used\"");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reply) second = ask(sim, "DeleteCustomImage", "ImageID", cases[i].id);
        g_autoptr(Reply) first = NULL;

        assert_code(second, cases[i].code);
        speak(sim, 1);
        first = ask(sim, "DeleteCustomImage", "ImageID", cases[i].id);
        assert_code(first, cases[i].first_code);
        speak(sim, 2);
    }
    advance(sim, 60000);
    {
        g_autoptr(Reply) all = ask(sim, "DescribeImage");

        assert_count(all, G_N_ELEMENTS(cases), G_N_ELEMENTS(cases));
    }
}

/* ---- Names and remarks ---- */

static void
test_modify(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) both = NULL, name = NULL, cleared = NULL, image = NULL, vm = NULL,
                     shown = NULL;

    add_server(sim, "vm-a", "Running", ",\"Remark\":\"old\"");
    add_image(sim, "image-a", "Custom", ",\"ImageName\":\"x\",\"ImageDescription\":\"old\"");
    both = ask(sim, "ModifyNameAndRemark", "ResourceID", "vm-a", "Name", "网站-01_a.b", "Remark",
               "a=b&c+d 测试");
    assert_code(both, 0);
    vm = ask(sim, "DescribeVMInstance", "VMIDs.0", "vm-a");
    g_assert_cmpstr(text(vm, "Infos.0.Name"), ==, "网站-01_a.b");
    g_assert_cmpstr(text(vm, "Infos.0.Remark"), ==, "a=b&c+d 测试");
    name = ask(sim, "ModifyNameAndRemark", "ResourceID", "vm-a", "Name", "b");
    assert_code(name, 0);
    g_clear_pointer(&vm, reply_free);
    vm = ask(sim, "DescribeVMInstance", "VMIDs.0", "vm-a");
    g_assert_cmpstr(text(vm, "Infos.0.Name"), ==, "b");
    g_assert_cmpstr(text(vm, "Infos.0.Remark"), ==, "a=b&c+d 测试");
    cleared = ask(sim, "ModifyNameAndRemark", "ResourceID", "vm-a", "Name", "b", "Remark", "");
    assert_code(cleared, 0);
    g_clear_pointer(&vm, reply_free);
    vm = ask(sim, "DescribeVMInstance", "VMIDs.0", "vm-a");
    g_assert_cmpstr(text(vm, "Infos.0.Remark"), ==, "");
    image = ask(sim, "ModifyNameAndRemark", "ResourceID", "image-a", "Name", "golden one", "Remark",
                "new");
    assert_code(image, 0);
    shown = ask(sim, "DescribeImage", "ImageIDs.0", "image-a");
    g_assert_cmpstr(text(shown, "Infos.0.Name"), ==, "golden one");
    g_assert_cmpstr(text(shown, "Infos.0.ImageName"), ==, "golden one");
    g_assert_cmpstr(text(shown, "Infos.0.ImageDescription"), ==, "new");
    g_assert_null(member(shown, "Infos.0.Remark"));
}

static void
test_modify_refusals(void)
{
    g_autofree char *thirty = g_strnfill(30, 'n');
    g_autofree char *long_name = g_strnfill(31, 'n');
    g_autofree char *hundred = g_strnfill(100, 'r');
    g_autofree char *long_remark = g_strnfill(101, 'r');
    const struct {
        const char *id, *name, *remark;
        guint code, first_code;
    } cases[] = {
        {"vm-a", thirty, hundred, 0, 0},
        {"vm-a", "三十个字三十个字三十个字三十个字三十个字三十个字三十个字三十", "x", 0, 0},
        {"vm-a", long_name, "x", 4, 140},
        {"vm-a", "with blank", "x", 4, 140},
        {"vm-a", "slash/es", "x", 4, 140},
        {"vm-a", "\xff\xfe", "x", 4, 140},
        {"vm-a", "caf\xc3\xa9", "x", 4, 140},
        {"vm-a", "a", long_remark, 4, 140},
        {"image-a", "with blank", "x", 0, 0},
        {"image-a", "a", long_remark, 4, 140},
        {"image-base", "a", "x", 111, 178},
        {"image-remarkable", "a", "x", 0, 0},
        {"vm-foreign", "a", "x", 114, 150},
        {"vm-none", "a", "x", 200, 2014},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "vm-a", "Running", NULL);
    add_server(sim, "vm-foreign", "Running", ",\"$flags\":{\"foreign\":true}");
    add_image(sim, "image-a", "Custom", NULL);
    add_image(sim, "image-base", "Base", ",\"Remarkable\":false");
    add_image(sim, "image-remarkable", "Base", ",\"Remarkable\":true");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reply) second = ask(sim, "ModifyNameAndRemark", "ResourceID", cases[i].id, "Name",
                                      cases[i].name, "Remark", cases[i].remark);
        g_autoptr(Reply) first = NULL;

        assert_code(second, cases[i].code);
        speak(sim, 1);
        first = ask(sim, "ModifyNameAndRemark", "ResourceID", cases[i].id, "Name", cases[i].name,
                    "Remark", cases[i].remark);
        assert_code(first, cases[i].first_code);
        speak(sim, 2);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim/ucloudstack/vectors", test_vectors);
    g_test_add_func("/sim/ucloudstack/credentials", test_credentials);
    g_test_add_func("/sim/ucloudstack/request-forms", test_request_forms);
    g_test_add_func("/sim/ucloudstack/no-credentials", test_no_credentials);
    g_test_add_func("/sim/ucloudstack/regions-and-referer", test_regions_and_referer);
    g_test_add_func("/sim/ucloudstack/unknown-action", test_unknown_action);
    g_test_add_func("/sim/ucloudstack/moves", test_moves);
    g_test_add_func("/sim/ucloudstack/power-off-overtakes", test_power_off_overtakes);
    g_test_add_func("/sim/ucloudstack/preconditions", test_preconditions);
    g_test_add_func("/sim/ucloudstack/refusals", test_refusals);
    g_test_add_func("/sim/ucloudstack/console", test_console);
    g_test_add_func("/sim/ucloudstack/image/made", test_image_is_made);
    g_test_add_func("/sim/ucloudstack/image/needs-rest", test_image_needs_rest);
    g_test_add_func("/sim/ucloudstack/image/deleted", test_image_is_deleted);
    g_test_add_func("/sim/ucloudstack/image/kept", test_image_is_kept);
    g_test_add_func("/sim/ucloudstack/modify", test_modify);
    g_test_add_func("/sim/ucloudstack/modify/refusals", test_modify_refusals);
    return g_test_run();
}
