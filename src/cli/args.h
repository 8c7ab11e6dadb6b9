/* The command line: the tables of commands and flags, and the parser over them. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    CF_COMMAND_MOUNT,
    CF_COMMAND_UMOUNT,
    CF_COMMAND_DEMO,
    CF_COMMAND_SIMULATE,
    CF_COMMAND_CHECK,
    CF_COMMAND_PROFILES,
    CF_COMMAND_WAIT,
    CF_COMMAND_VERSION,
    CF_COMMAND_HELP,
    CF_COMMAND_HELPER, /* mount as mount(8) calls it: PROFILE MNT [-sfnv] [-o OPTIONS] */
    CF_COMMAND_N
} CfCommand;

typedef struct {
    const char *name;     /* (nullable): NULL: it has none, and is not listed */
    const char *synopsis; /* what may follow the name */
    const char *summary;
    const char *details; /* for its own help; whole lines */
    guint min_words, max_words;
} CfCommandInfo;

typedef enum {
    CF_FLAG_SWITCH, /* gboolean */
    CF_FLAG_TEXT,   /* char *: the last one counts */
    CF_FLAG_LIST,   /* char *: all of them, joined by commas */
    CF_FLAG_NUMBER, /* gint64 */
    CF_FLAG_IGNORED,
} CfFlagKind;

typedef struct {
    guint commands;       /* bits 1 << CfCommand */
    char letter;          /* 0: none */
    const char *name;     /* (nullable) without the dashes */
    const char *argument; /* (nullable) */
    const char *doc;      /* (nullable): NULL: not listed */
    CfFlagKind kind;
    gsize offset; /* in CfArgs */
    gint64 max;   /* of CF_FLAG_NUMBER */
} CfFlag;

typedef struct {
    CfCommand command; /* never HELPER, which becomes MOUNT */
    gboolean help;     /* the help of the command is wanted, not the command */
    gboolean foreground, fake, options_tsv, hostile;
    char *config;     /* (nullable) */
    char *options;    /* (nullable) the text of -o, without config= */
    char **profiles;  /* (array zero-terminated=1): empty: all */
    char *mountpoint; /* (nullable) as it was given */
    char *topic;      /* (nullable) of help */
    char **words;     /* (array zero-terminated=1): of wait */
    char *timeout;    /* (nullable) of wait */
    gint64 servers, images, seed, latency_ms, transition_ms; /* -1: not given */
    int rest; /* simulate: the index of the first argument, which is parsed elsewhere */
} CfArgs;

const CfCommandInfo *cf_command_get_info(CfCommand command);
/* Returns: FALSE when there is no such command. */
gboolean cf_command_find(const char *name, CfCommand *ret_command);
const CfFlag *cf_flags_get(guint *ret_n);

/* Returns: FALSE with CF_ERROR_INVALID, in words for whoever typed it; args is then empty.
 * ret_args: to be cleared with cf_args_clear(). */
gboolean cf_args_parse(int argc, char *const *argv, CfArgs *ret_args, GError **error);
void cf_args_clear(CfArgs *args);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfArgs, cf_args_clear)

G_END_DECLS
