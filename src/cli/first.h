/* The first call of each profile: whether it was answered is what mounting waits for. */
#pragma once

#include "cli/exit.h"
#include "cli/stack.h"

G_BEGIN_DECLS

typedef struct _CfFirst CfFirst;

/* All of it in the engine's thread. */
typedef struct {
    /* It is over: status is what mount exits with. */
    void (*done)(CfExit status, gpointer data);
    gboolean offline_ok; /* it is no failure when all fail */
    gpointer data;
} CfFirstOptions;

/* Starts the inventories. stack: outlives what is under way. Thread: main. */
CfFirst *cf_first_new(CfStack *stack, const CfFirstOptions *options);
/* The mount is served: done() is not called before. Thread: any, once. */
void cf_first_set_served(CfFirst *first);
/* The timers end: done() is not called any more. Thread: main, before the stack is freed. */
void cf_first_stop(CfFirst *first);
/* After the stack is freed. Thread: main. first: (nullable). */
void cf_first_free(CfFirst *first);

G_END_DECLS
