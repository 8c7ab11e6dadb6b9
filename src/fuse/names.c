/* Requests that make, move and remove names. The kernel holds their directories until they are
 * answered; only a rename that writes an attribute and the editing of views wait for the cloud. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "fuse/private.h"
#include "util/clock.h"

static CfSession *
session_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

/* Answers what is refused everywhere: with EROFS where that is the reason. */
static void
refuse(fuse_req_t req, const char *op, CfIno dir)
{
    g_autoptr(GError) error = NULL;

    if (cf_tree_may_name(session_of(req)->tree, dir, &error))
        fuse_reply_err(req, EPERM);
    else
        cf_reply_error(req, op, dir, error);
}

void
cf_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
             struct fuse_file_info *fi)
{
    CfSession *session = session_of(req);
    g_autoptr(GError) error = NULL;
    CfEntry entry = {0};
    struct fuse_entry_param param;

    if (!cf_tree_create(session->tree, parent, name, mode, fi->flags, &entry, &error)) {
        cf_reply_error(req, "create", parent, error);
        return;
    }
    param = cf_param_from_entry(session, &entry);
    fi->keep_cache = 1;
    fi->noflush = 1;
    /* -ENOENT: the caller is gone, and so is the kernel's lookup. */
    if (fuse_reply_create(req, &param, fi) == -ENOENT)
        cf_tree_forget(session->tree, param.ino, 1);
    cf_watch_wake(session); /* scratch files grow old */
}

void
cf_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
    refuse(req, "mknod", parent);
}

/* --- views that can be edited ----------------------------------------------------------------- */

static void
reply_entry(fuse_req_t req, const CfEntry *entry)
{
    struct fuse_entry_param param = cf_param_from_entry(session_of(req), entry);

    fuse_reply_entry(req, &param);
}

static CfVerdict
answer_edit(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    g_autoptr(GError) gone = NULL;
    CfEntry entry = {0};

    if (error)
        cf_reply_error(waiter->req, waiter->op, waiter->ino, error);
    else if (!waiter->made)
        fuse_reply_err(waiter->req, 0);
    else if (cf_tree_link_entry(waiter->session->tree, waiter->made, &entry, &gone))
        reply_entry(waiter->req, &entry);
    else
        cf_reply_error(waiter->req, waiter->op, waiter->ino, gone);
    return CF_DONE;
}

/* order: (transfer full). link: 0, or what the answer is to show. */
static void
wait_for_edit(fuse_req_t req, const char *op, const CfViewEdit *edit, CfViewOrder *order,
              CfIno link)
{
    CfWaiter *waiter = cf_waiter_new(session_of(req), req, op, edit->parent);

    waiter->held_directories[0] = edit->parent;
    if (edit->new_parent != edit->parent)
        waiter->held_directories[1] = edit->new_parent;
    waiter->made = link;
    waiter->answer = answer_edit;
    waiter = cf_waiter_keep(waiter);
    if (waiter)
        cf_tree_order_view(order, cf_waiter_done, waiter);
    else
        cf_view_order_free(order);
}

static void
edit_view(fuse_req_t req, const char *op, CfViewEdit *edit)
{
    CfSession *session = session_of(req);
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    g_autoptr(GError) error = NULL;
    CfViewOrder *order = NULL;
    CfEntry entry = {0};

    edit->uid = ctx->uid;
    edit->pid = ctx->pid;
    switch (cf_tree_edit_view(session->tree, edit, &entry, &order, &error)) {
    case CF_DONE:
        if (edit->kind == CF_VIEW_MKDIR)
            reply_entry(req, &entry);
        else
            fuse_reply_err(req, 0);
        cf_watch_wake(session); /* empty tags grow old */
        break;
    case CF_FAILED:
        cf_reply_error(req, op, edit->parent, error);
        break;
    case CF_WAIT:
        wait_for_edit(req, op, edit, order, edit->kind == CF_VIEW_SYMLINK ? entry.attr.ino : 0);
        break;
    }
}

void
cf_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    CfViewEdit edit = {.kind = CF_VIEW_MKDIR, .parent = parent, .name = name};

    edit_view(req, "mkdir", &edit);
}

void
cf_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    CfViewEdit edit = {.kind = CF_VIEW_SYMLINK, .parent = parent, .name = name, .target = target};

    edit_view(req, "symlink", &edit);
}

void
cf_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
    refuse(req, "link", parent);
}

void
cf_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    CfViewEdit edit = {.kind = CF_VIEW_RMDIR, .parent = parent, .name = name};

    edit_view(req, "rmdir", &edit);
}

void
cf_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    CfViewEdit edit = {.kind = CF_VIEW_UNLINK, .parent = parent, .name = name};
    g_autoptr(GError) error = NULL;

    if (cf_tree_is_view(parent))
        edit_view(req, "unlink", &edit);
    else if (cf_tree_unlink(session_of(req)->tree, parent, name, &error))
        fuse_reply_err(req, 0);
    else
        cf_reply_error(req, "unlink", parent, error);
}

/* --- renames ---------------------------------------------------------------------------------- */

static CfVerdict
answer_rename(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    if (error)
        cf_reply_error(waiter->req, "rename", waiter->ino, error);
    else
        fuse_reply_err(waiter->req, 0);
    return CF_DONE;
}

static void
wait_for_rename(fuse_req_t req, const CfRename *rename)
{
    CfSession *session = session_of(req);
    CfWaiter *waiter = cf_waiter_new(session, req, "rename", rename->parent);

    waiter->held_directories[0] = rename->parent; /* both */
    waiter->answer = answer_rename;
    waiter = cf_waiter_keep(waiter);
    if (waiter)
        cf_tree_rename_wait(session->tree, rename, cf_waiter_done, waiter);
}

void
cf_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
             const char *new_name, unsigned int flags)
{
    CfSession *session = session_of(req);
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    const CfRename rename = {
        .parent = parent,
        .new_parent = new_parent,
        .name = name,
        .new_name = new_name,
        .no_replace = (flags & RENAME_NOREPLACE) != 0,
        .uid = ctx->uid,
        .pid = ctx->pid,
    };
    CfViewEdit edit = {.kind = CF_VIEW_RENAME,
                       .parent = parent,
                       .name = name,
                       .new_parent = new_parent,
                       .new_name = new_name};
    g_autoptr(GError) error = NULL;

    if (flags & ~(unsigned) RENAME_NOREPLACE) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    if (cf_tree_is_view(parent) || cf_tree_is_view(new_parent)) {
        edit_view(req, "rename", &edit);
        return;
    }
    switch (cf_tree_rename(session->tree, &rename, &error)) {
    case CF_DONE:
        fuse_reply_err(req, 0);
        cf_watch_wake(session);
        break;
    case CF_FAILED:
        cf_reply_error(req, "rename", parent, error);
        break;
    case CF_WAIT:
        wait_for_rename(req, &rename);
        break;
    }
}

/* --- scratch files: what is set of them is kept ----------------------------------------------- */

static gint64
time_ns(const struct timespec *time)
{
    return (gint64) time->tv_sec * 1000000000 + time->tv_nsec;
}

void
cf_op_setattr_scratch(fuse_req_t req, fuse_ino_t ino, const struct stat *st, int to_set)
{
    CfSession *session = session_of(req);
    g_autoptr(GError) error = NULL;
    CfSetAttr set = {.size = (guint64) st->st_size, .mode = st->st_mode};
    CfAttr attr;

    if (((to_set & FUSE_SET_ATTR_UID) && st->st_uid != session->uid) ||
        ((to_set & FUSE_SET_ATTR_GID) && st->st_gid != session->gid)) {
        fuse_reply_err(req, EPERM);
        return;
    }
    set.what = (to_set & FUSE_SET_ATTR_SIZE ? CF_SET_SIZE : 0) |
               (to_set & FUSE_SET_ATTR_MODE ? CF_SET_MODE : 0) |
               (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW) ? CF_SET_MTIME : 0);
    set.mtime_ns = to_set & FUSE_SET_ATTR_MTIME_NOW ? cf_clock_real_ns() : time_ns(&st->st_mtim);
    if (cf_tree_setattr(session->tree, ino, &set, &attr, &error))
        cf_reply_attr(req, &attr);
    else
        cf_reply_error(req, "setattr", ino, error);
}
