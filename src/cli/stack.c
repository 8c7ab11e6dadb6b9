#include "cli/stack.h"

#include <unistd.h>

#include "inventory/snapshot.h"
#include "providers/provider.h"
#include "util/clock.h"

void
cf_stack_fill_channel(CfProfile *profile, CfChannelOptions *ret_channel)
{
    const CfOptions *options = cf_profile_get_options(profile);

    *ret_channel = (CfChannelOptions){
        .rate = options->rate,
        .burst = options->burst,
        .connections = options->connections,
        .cacert = options->cacert,
        .insecure = options->insecure,
        .proxy = options->proxy,
        .dry_run = options->dry_run,
    };
}

/* Returns: (transfer full). */
static char *
find_state_dir(CfConfig *config)
{
    const char *option = cf_config_get_mount_options(config)->state_dir;
    const char *home = g_getenv("XDG_STATE_HOME");

    if (option)
        return g_canonicalize_filename(option, NULL);
    if (home && g_path_is_absolute(home)) /* the specification has others ignored */
        return g_build_filename(home, "cirrusfs", NULL);
    if (geteuid() == 0)
        return g_strdup("/var/lib/cirrusfs");
    return g_build_filename(g_get_home_dir(), ".local", "state", "cirrusfs", NULL);
}

static void
fill_inventory(CfProfile *profile, const char *state_dir, CfInventoryOptions *ret_options)
{
    const CfOptions *options = cf_profile_get_options(profile);

    *ret_options = (CfInventoryOptions){
        .ttl_us = options->ttl_us,
        .max_stale_us = options->max_stale_us,
        .patience_us = options->patience_us,
        .deadline_us = options->deadline_us,
        .tags_ttl_us = options->tags_ttl_us,
        .ro = options->ro,
        .raw_world = options->raw_world,
        .allow_delete = options->allow_delete,
        .edit_views = options->edit_views,
        .dry_run = options->dry_run,
        .watch = options->watch,
        .tags_sweep = options->tags == CF_TAGS_SWEEP,
        .insecure = options->insecure,
        .batch_limit = options->batch_limit,
        .action_limit = options->action_limit,
        .state_dir = state_dir,
    };
}

static const char *
get_key(gpointer config, const char *key)
{
    return cf_profile_get(config, key);
}

static gboolean
add_inventory(CfStack *stack, CfProfile *profile, const char *state_dir, GError **error)
{
    CfChannelOptions channel;
    CfInventoryOptions options;
    CfInventory *inventory;

    cf_stack_fill_channel(profile, &channel);
    fill_inventory(profile, state_dir, &options);
    inventory = cf_inventory_new(cf_profile_get_name(profile),
                                 cf_providers_find(cf_profile_get_provider(profile)), stack->http,
                                 &channel, &options, cf_profile_get_options(profile)->page_size,
                                 get_key, profile, error);
    if (!inventory)
        return FALSE;
    g_ptr_array_add(stack->inventories, inventory);
    return TRUE;
}

/* Only then the whole mount is; otherwise each profile's own files say it. */
static gboolean
is_read_only(GPtrArray *profiles)
{
    for (guint i = 0; i < profiles->len; i++)
        if (!cf_profile_get_options(g_ptr_array_index(profiles, i))->ro)
            return FALSE;
    return TRUE;
}

static void
add_tree(CfStack *stack, CfConfig *config, GPtrArray *profiles)
{
    const CfMountOptions *mount = cf_config_get_mount_options(config);
    g_autofree char *text = cf_config_describe(config);
    CfTreeOptions options = {
        .uid = mount->uid_set ? mount->uid : getuid(),
        .gid = mount->gid_set ? mount->gid : getgid(),
        .umask = mount->umask_set ? mount->umask : 0,
        .version = CF_VERSION,
        .config = text,
    };

    stack->ro = is_read_only(profiles);
    stack->tree = cf_tree_new(&options);
    for (guint i = 0; i < stack->inventories->len; i++)
        cf_tree_add_profile(stack->tree, g_ptr_array_index(stack->inventories, i));
}

CfStack *
cf_stack_new(CfConfig *config, GPtrArray *profiles, GError **error)
{
    g_autoptr(CfStack) stack = g_new0(CfStack, 1);
    g_autofree char *state_dir = find_state_dir(config);

    stack->inventories = g_ptr_array_new_with_free_func((GDestroyNotify) cf_inventory_free);
    stack->http = cf_http_new(error);
    if (!stack->http)
        return NULL;
    for (guint i = 0; i < profiles->len; i++)
        if (!add_inventory(stack, g_ptr_array_index(profiles, i), state_dir, error))
            return NULL;
    add_tree(stack, config, profiles);
    return g_steal_pointer(&stack);
}

void
cf_stack_resume(CfStack *stack)
{
    for (guint i = 0; i < stack->inventories->len; i++)
        cf_inventory_resume(g_ptr_array_index(stack->inventories, i));
}

void
cf_stack_finish(CfStack *stack, gint64 patience_us)
{
    gint64 until_us = cf_clock_mono_us() + patience_us;

    for (guint i = 0; i < stack->inventories->len; i++)
        cf_inventory_finish(g_ptr_array_index(stack->inventories, i), until_us);
}

void
cf_stack_end(CfStack *stack)
{
    cf_snapshots_leave();
    cf_stack_free(stack);
}

void
cf_stack_free(CfStack *stack)
{
    if (!stack)
        return;
    for (guint i = 0; i < stack->inventories->len; i++) /* they call into the tree */
        cf_inventory_close(g_ptr_array_index(stack->inventories, i));
    cf_tree_free(stack->tree);
    g_ptr_array_unref(stack->inventories);
    cf_http_free(stack->http);
    g_free(stack);
}
