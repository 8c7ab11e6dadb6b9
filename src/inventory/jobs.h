/* The jobs that accepted actions began in the cloud. Engine's thread only. */
#pragma once

#include "inventory/private.h"

typedef struct _CfJob CfJob;

/* Follows the job that the result names, where it names one and the cloud can be asked. order:
 * copied. */
void cf_job_follow(CfCollectionState *state, const CfOrder *order, const CfActionResult *result);
void cf_job_free(gpointer job);
