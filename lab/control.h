/*
 * The commands of the shaper: one line each, one line of answer ("ok", "error: why", or JSON).
 *
 *     link NAME NETNS DEVICE NETNS DEVICE [PARAMETER...]   NETNS: a file, or - for the shaper's own
 *     set NAME[.ab|.ba] PARAMETER...                       both directions, or one; see params.h
 *     attach NAME.a|NAME.b                                 make a deleted device again
 *     stats                                                counters of all links, as JSON
 *     reset                                                forget the lateness seen so far
 *     NAME[.ab|.ba] PARAMETER...                           short for set
 */
#ifndef HW_LAB_CONTROL_H
#define HW_LAB_CONTROL_H

#include <stdio.h>

#include "lab/links.h"

#define HW_LAB_LINE_BYTES 1024u

/* Runs the line (which is taken apart) and writes the answer, with its newline. False: it failed. */
bool hw_lab_command(struct hw_lab *lab, char *line, FILE *out);

#endif
