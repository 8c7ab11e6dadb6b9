/* The simulator as a program of its own, for tests. */
#include "sim/sim.h"

int
main(int argc, char **argv)
{
    return cf_sim_main(argc, argv);
}
