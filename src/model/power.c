#include "model/power.h"

#define BIT(power) (1u << CF_POWER_##power)
#define STILL (BIT(PAUSED) | BIT(SUSPENDED) | BIT(UNKNOWN))

/* There is no word for a server that is being paused, suspended or shelved: it is on its way to
 * standing still, hence stopping; the way back is starting. */
static const struct {
    CfState way, goal;
    gboolean once_more; /* it is done again where it is so already */
    guint powers;       /* bits of CfPower in which it makes sense; the cloud may know better */
} verbs[CF_VERB_N] = {
    [CF_VERB_ON] = {CF_STATE_STARTING, CF_STATE_RUNNING, FALSE, BIT(ON) | BIT(OFF) | STILL},
    [CF_VERB_OFF] = {CF_STATE_STOPPING, CF_STATE_STOPPED, FALSE, BIT(ON) | BIT(OFF) | STILL},
    [CF_VERB_OFF_HARD] = {CF_STATE_STOPPING, CF_STATE_STOPPED, FALSE, BIT(ON) | STILL},
    [CF_VERB_REBOOT] = {CF_STATE_REBOOTING, CF_STATE_RUNNING, TRUE, BIT(ON)},
    [CF_VERB_REBOOT_HARD] = {CF_STATE_REBOOTING, CF_STATE_RUNNING, TRUE,
                             BIT(ON) | BIT(OFF) | STILL | BIT(CHANGING)},
    [CF_VERB_PAUSE] = {CF_STATE_STOPPING, CF_STATE_PAUSED, FALSE, BIT(ON) | BIT(PAUSED)},
    [CF_VERB_UNPAUSE] = {CF_STATE_STARTING, CF_STATE_RUNNING, FALSE, BIT(PAUSED)},
    [CF_VERB_SUSPEND] = {CF_STATE_STOPPING, CF_STATE_SUSPENDED, FALSE, BIT(ON) | BIT(SUSPENDED)},
    [CF_VERB_RESUME] = {CF_STATE_STARTING, CF_STATE_RUNNING, FALSE, BIT(SUSPENDED)},
    [CF_VERB_SHELVE] = {CF_STATE_STOPPING, CF_STATE_STOPPED, FALSE,
                        BIT(ON) | BIT(OFF) | BIT(PAUSED) | BIT(SUSPENDED)},
    [CF_VERB_UNSHELVE] = {CF_STATE_STARTING, CF_STATE_RUNNING, FALSE, BIT(OFF)},
};

CfState
cf_verb_goal(CfVerb verb)
{
    g_return_val_if_fail((guint) verb < CF_VERB_N, CF_STATE_UNKNOWN);

    return verbs[verb].goal;
}

CfState
cf_verb_way(CfVerb verb)
{
    g_return_val_if_fail((guint) verb < CF_VERB_N, CF_STATE_UNKNOWN);

    return verbs[verb].way;
}

gboolean
cf_verb_has_goal(CfVerb verb)
{
    return (guint) verb < CF_VERB_N && !verbs[verb].once_more;
}

static gboolean
is_shelved(const CfRecord *record)
{
    return (cf_record_get_verbs(record) & 1u << CF_VERB_UNSHELVE) != 0;
}

gboolean
cf_verb_is_reached(CfVerb verb, const CfRecord *record)
{
    return cf_record_get_state(record) == cf_verb_goal(verb) &&
           (verb != CF_VERB_SHELVE || is_shelved(record));
}

gboolean
cf_verb_fits(CfVerb verb, CfState state)
{
    g_return_val_if_fail((guint) verb < CF_VERB_N, FALSE);

    return (verbs[verb].powers & 1u << cf_power_of_state(state)) != 0;
}

guint
cf_verbs_of(const CfRecord *record)
{
    CfState state = cf_record_get_state(record);
    guint told = cf_record_get_verbs(record);
    guint bits = 0;

    /* What is laid over the cloud's state is newer than what it told of it. */
    if (told && !cf_state_is_transitional(state))
        return told;
    for (guint verb = 0; verb < CF_VERB_N; verb++)
        if (cf_verb_fits(verb, state))
            bits |= 1u << verb;
    return bits;
}

CfVerb
cf_verb_current(const CfRecord *record)
{
    switch (cf_power_of_state(cf_record_get_state(record))) {
    case CF_POWER_ON:
        return CF_VERB_ON;
    case CF_POWER_OFF:
        return is_shelved(record) ? CF_VERB_SHELVE : CF_VERB_OFF;
    case CF_POWER_PAUSED:
        return CF_VERB_PAUSE;
    case CF_POWER_SUSPENDED:
        return CF_VERB_SUSPEND;
    case CF_POWER_UNKNOWN:
    case CF_POWER_CHANGING:
    case CF_POWER_N:
        break;
    }
    return CF_VERB_N;
}
