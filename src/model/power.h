/* The verbs of power: where each leads, and where it makes sense. One table. */
#pragma once

#include "model/record.h"

G_BEGIN_DECLS

/* The state in which what the verb asks for is done. */
CfState cf_verb_goal(CfVerb verb);
/* The state of passage that is shown between an accepted verb and its end. */
CfState cf_verb_way(CfVerb verb);
/* Whether a verb asks for a state, so that it may be so already; a reboot does not. */
gboolean cf_verb_has_goal(CfVerb verb);
/* Whether the record is in the verb's goal. What can be unshelved is shelved; else that is a server
 * that is stopped. */
gboolean cf_verb_is_reached(CfVerb verb, const CfRecord *record);
/* Whether the verb makes sense in that state. */
gboolean cf_verb_fits(CfVerb verb, CfState state);
/* Bits 1 << CfVerb of what makes sense for the record: what its cloud said of it, else what its
 * state allows on any cloud. */
guint cf_verbs_of(const CfRecord *record);
/* The verb that says how the record is now. Returns: CF_VERB_N: none does. */
CfVerb cf_verb_current(const CfRecord *record);

G_END_DECLS
