/* The floor of what tests/bench walks: a file system of the same shape that knows nothing. Every
 * answer is arithmetic; there is no content, no snapshot, no name that is looked up in a table.
 * What a walk of it costs is the kernel's, libfuse's and the walking program's own share.
 *
 *   floor MNT SERVERS [nodes]    mounts at MNT until it is unmounted or a signal comes
 *
 * A server has the entries that stdin names, a line each: "f NAME", "d NAME" (empty) or "l NAME".
 * As in cirrusfs, a listing carries nodes of directories only; with nodes, of everything. What is
 * cached can be reached by a path as long as in cirrusfs, too: MNT/sim/servers/by-id/SERVER/NAME.
 * That is not listed, so that a walk does not meet it.
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIFETIME_S 3600.0
#define CONTENT "nothing!"
#define FILE_SIZE (sizeof CONTENT - 1)
#define LARGEST_LISTING (1024 * 1024)
#define NAME_FORMAT "%08lx-0000-4000-8000-%012lx" /* as long as an id */
#define NAME_LENGTH 36

typedef struct {
    char *name;
    mode_t mode;
} Entry;

static struct {
    unsigned long servers;
    Entry *entries;
    unsigned long n_entries;
    int nodes;
    uid_t uid;
    gid_t gid;
    char buffer[LARGEST_LISTING]; /* one thread */
} world;

static void
die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- node ids: 1 is the root; then, for each server, its directory and its entries ------------ */

#define ABOVE (1ul << 60) /* then "sim", and so on */
#define N_ABOVE 3

static const char *const above[N_ABOVE] = {"sim", "servers", "by-id"};

static fuse_ino_t
server_ino(unsigned long server)
{
    return 2 + server * (world.n_entries + 1);
}

static mode_t
mode_of(fuse_ino_t ino)
{
    unsigned long part;

    if (ino == FUSE_ROOT_ID || ino >= ABOVE)
        return S_IFDIR | 0755;
    part = (ino - 2) % (world.n_entries + 1);
    return part == 0 ? S_IFDIR | 0755 : world.entries[part - 1].mode;
}

static struct stat
stat_of(fuse_ino_t ino)
{
    mode_t mode = mode_of(ino);

    return (struct stat){.st_ino = ino,
                         .st_mode = mode,
                         .st_nlink = 1,
                         .st_size = S_ISDIR(mode) ? 0 : FILE_SIZE,
                         .st_uid = world.uid,
                         .st_gid = world.gid};
}

static struct fuse_entry_param
param_of(fuse_ino_t ino)
{
    return (struct fuse_entry_param){
        .ino = ino, .attr = stat_of(ino), .attr_timeout = LIFETIME_S, .entry_timeout = LIFETIME_S};
}

/* Returns: 0 where there is none. */
static fuse_ino_t
child_of(fuse_ino_t parent, const char *name)
{
    if (parent == FUSE_ROOT_ID && strcmp(name, above[0]) == 0)
        return ABOVE;
    if (parent >= ABOVE && parent < ABOVE + N_ABOVE - 1)
        return strcmp(name, above[parent - ABOVE + 1]) == 0 ? parent + 1 : 0;
    if (parent == FUSE_ROOT_ID || parent >= ABOVE) {
        unsigned long server = strtoul(name, NULL, 16);

        return strlen(name) == NAME_LENGTH && server < world.servers ? server_ino(server) : 0;
    }
    for (unsigned long i = 0; i < world.n_entries; i++) {
        if (strcmp(world.entries[i].name, name) == 0)
            return parent + 1 + i;
    }
    return 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static void
op_init(void *userdata, struct fuse_conn_info *conn)
{
    /* Splicing costs more than it saves where requests are small. */
    conn->want &= ~(unsigned) (FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE |
                               FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    conn->want |= conn->capable & FUSE_CAP_READDIRPLUS;
}

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    fuse_ino_t ino = child_of(parent, name);
    struct fuse_entry_param param;

    if (!ino) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    param = param_of(ino);
    fuse_reply_entry(req, &param);
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st = stat_of(ino);

    fuse_reply_attr(req, &st, LIFETIME_S);
}

static void
op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    fuse_reply_readlink(req, CONTENT);
}

static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fuse_reply_err(req, ENOSYS); /* the kernel stops asking */
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
    size_t begin = (size_t) offset < FILE_SIZE ? (size_t) offset : FILE_SIZE;
    size_t left = FILE_SIZE - begin;

    fuse_reply_buf(req, CONTENT + begin, size < left ? size : left);
}

static void
op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fuse_reply_err(req, ENOSYS); /* the kernel stops asking */
}

/* Returns: the bytes that the entry takes; more than size: it did not fit. */
static size_t
add_entry(fuse_req_t req, char *at, size_t size, fuse_ino_t ino, const char *name, off_t next)
{
    struct fuse_entry_param param = param_of(ino);

    if (!world.nodes && !S_ISDIR(param.attr.st_mode))
        param.ino = 0;
    return fuse_add_direntry_plus(req, at, size, name, &param, next);
}

static void
op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
    int root = ino == FUSE_ROOT_ID;
    int server = !root && ino < ABOVE && (ino - 2) % (world.n_entries + 1) == 0;
    unsigned long end = root ? world.servers : server ? world.n_entries : 0;
    size_t used = 0;

    size = size < sizeof world.buffer ? size : sizeof world.buffer;
    for (unsigned long i = (unsigned long) offset; i < end; i++) {
        char name[64];
        size_t n;

        if (root)
            snprintf(name, sizeof name, NAME_FORMAT, i, i);
        n = add_entry(req, world.buffer + used, size - used, root ? server_ino(i) : ino + 1 + i,
                      root ? name : world.entries[i].name, (off_t) i + 1);
        if (n > size - used)
            break;
        used += n;
    }
    fuse_reply_buf(req, world.buffer, used);
}

static void
op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
    fuse_reply_none(req);
}

static void
op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
    fuse_reply_none(req);
}

static const struct fuse_lowlevel_ops ops = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .readlink = op_readlink,
    .open = op_open,
    .read = op_read,
    .opendir = op_opendir,
    .readdirplus = op_readdirplus,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
};

/* --- the run ---------------------------------------------------------------------------------- */

static void
read_entries(void)
{
    char *line = NULL;
    size_t size = 0;

    for (ssize_t n; (n = getline(&line, &size, stdin)) > 2;) {
        mode_t mode = line[0] == 'd'   ? S_IFDIR | 0755
                      : line[0] == 'l' ? S_IFLNK | 0777
                                       : S_IFREG | 0444;

        line[strcspn(line, "\n")] = '\0';
        world.entries = realloc(world.entries, (world.n_entries + 1) * sizeof *world.entries);
        if (!world.entries)
            die("memory");
        world.entries[world.n_entries] = (Entry){.name = strdup(line + 2), .mode = mode};
        if (!world.entries[world.n_entries++].name)
            die("memory");
    }
    free(line);
}

int
main(int argc, char **argv)
{
    char *words[] = {argv[0], "-ofsname=floor,default_permissions", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(2, words);
    struct fuse_session *session;
    int result;

    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "nodes") != 0)) {
        fprintf(stderr, "floor MNT SERVERS [nodes] < entries\n");
        return 2;
    }
    world.servers = strtoul(argv[2], NULL, 10);
    world.nodes = argc == 4;
    world.uid = getuid();
    world.gid = getgid();
    read_entries();
    session = fuse_session_new(&args, &ops, sizeof ops, NULL);
    if (!session || fuse_set_signal_handlers(session) < 0 ||
        fuse_session_mount(session, argv[1]) < 0)
        die(argv[1]);
    result = fuse_session_loop(session);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return result < 0;
}
